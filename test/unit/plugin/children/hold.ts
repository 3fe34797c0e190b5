// Prints before and after the hold, then does what its argument says.
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  captureStdio,
  holdStdout,
  holdStdoutIfPlugin,
  releaseStdio,
  writeRealStderr,
} from "../../../../src/plugin/stdio-capture.js";
import { takeHostRole } from "../../../../src/process/host-role.js";

const how = process.argv[2];
if (how === "if-plugin" || how === "host") holdStdoutIfPlugin();
else if (how === "undecided") holdStdoutIfPlugin(100);
else holdStdout();

console.log("one");
process.stdout.write("two\n");
console.error("early error");
if (how === "host") takeHostRole();
if (how === "undecided") await sleep(1000);
writeSync(1, "HANDSHAKE\n");

if (how === "release") releaseStdio();
if (how === "throw") throw new Error("went wrong");
if (how === "exit") process.exit(3);
if (how === "live") {
  captureStdio(() => {});
  console.log("three");
  console.error("late error");
  writeRealStderr("log line\n");
  process.on("exit", () => console.log("last words"));
}
if (how === "sink") {
  const capture = captureStdio(() => {});
  let seen = "";
  const sink = {
    write(chunk: Buffer) {
      seen += chunk.toString();
      return true;
    },
  };
  capture.stdout.attach(sink);
  console.log("three");
  await capture.stdout.flush(1000);
  process.on("exit", () => writeSync(2, JSON.stringify(seen)));
}
