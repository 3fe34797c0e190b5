// The services of go-fixtures/shared/errs: "errors", and "broken" beside it.
import { netRpcPlugin } from "../../../../src/definition/net-rpc-plugin.js";
import * as gob from "../../../../src/gob/index.js";

const basicError = gob.struct({ Message: gob.string }, { name: "BasicError" });
const registry = new gob.Registry();
registry.register(gob.pointer(basicError), "*plugin.BasicError");

const errors = netRpcPlugin(
  {
    Plain: [gob.string, gob.any],
    Basic: [gob.string, gob.struct({ Value: gob.string, Error: gob.pointer(basicError) })],
    Registered: [gob.string, gob.struct({ Value: gob.string, Error: gob.any })],
    Add: [gob.struct({ A: gob.int, B: gob.int }), gob.int],
    Nothing: [gob.any, gob.any],
    Panic: [gob.string, gob.any],
    BadReply: [gob.any, gob.string],
  },
  { registry },
);

class Failure extends Error {
  // An error that has no text is no error on the wire, so this one gets a text in any case.
}

export const plugins = {
  errors: errors.implement({
    Plain(text) {
      if (text === "") return null;
      throw new Failure(text);
    },
    Basic: (text) => ({ Value: `value of ${text}`, Error: text === "" ? null : { Message: text } }),
    Registered: (text) => ({
      Value: `value of ${text}`,
      Error: text === "" ? null : gob.value(gob.pointer(basicError), { Message: text }),
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
