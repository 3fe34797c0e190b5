// Ends by what its argument says, as a plugin that announces panics.
import { announcePanics } from "../../../../src/plugin/last-panic.js";

const remove = announcePanics();
const ways: Record<string, () => void> = {
  throw: () => {
    throw new Error("uncaught");
  },
  reject: () => void Promise.reject(new Error("unhandled")),
  hostile: () => {
    throw {
      toString() {
        throw new Error("no");
      },
    };
  },
  handled: () => {
    process.once("uncaughtException", () => process.stderr.write("handled\n"));
    throw new Error("uncaught");
  },
  removed: () => {
    remove();
    throw new Error("uncaught");
  },
};
setImmediate(ways[process.argv[2]!]!);
