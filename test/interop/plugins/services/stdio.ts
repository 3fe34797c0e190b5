// The service of go-fixtures/shared/stdio.
import { netRpcPlugin } from "../../../../src/definition/net-rpc-plugin.js";
import * as gob from "../../../../src/gob/index.js";
import { pattern, write } from "../serve-fixture.js";

const stdio = netRpcPlugin({
  WriteStdout: [gob.int, gob.int],
  WriteStderr: [gob.int, gob.int],
  WriteLines: [gob.int, gob.int],
  // Go strings hold any bytes.
  Print: [gob.rawString, gob.int],
  PrintErr: [gob.rawString, gob.int],
});

export const plugins = {
  stdio: stdio.implement({
    WriteStdout: (n) => write(process.stdout, pattern(n)),
    WriteStderr: (n) => write(process.stderr, pattern(n)),
    WriteLines(n) {
      for (let i = 0; i < n; i++) {
        console.log(`out ${i}`);
        console.error(`err ${i}`);
      }
      return n;
    },
    Print: (bytes) => write(process.stdout, bytes),
    PrintErr: (bytes) => write(process.stderr, bytes),
  }),
};
