// The services of go-fixtures/shared/errs: "errors", and "broken" beside it.
import { BasicError, basicError, gob } from "../../../../src/index.js";
import { errors } from "../../services.js";

export const plugins = {
  errors: errors.implement({
    Plain(text) {
      // An error without text is no error on Go's wire.
      if (text === "") return null;
      throw new Error(text);
    },
    Basic: (text) => ({ Value: `value of ${text}`, Error: text === "" ? null : new BasicError(text) }),
    Registered: (text) => ({
      Value: `value of ${text}`,
      Error: text === "" ? null : gob.value(basicError, new BasicError(text)),
    }),
    Add: ({ A, B }) => A + B,
    Nothing: () => null,
    Panic(text) {
      throw new TypeError(text);
    },
    BadReply: () => 5 as unknown as string,
  }),
  broken: {
    client: () => undefined,
    server() {
      throw new Error("factory refused: broken");
    },
  },
};
