// Ends in the moment in which it kills a plugin that is to outlive it; prints the plugin's pid.
import { CommandRunner } from "../../../src/index.js";

const command = {
  path: process.execPath,
  args: ["-e", "setInterval(() => {}, 1000)"],
  env: {},
  cwd: undefined,
};
const runner = new CommandRunner(command, { killWithHost: false });
await runner.start();
process.stdout.write(`${runner.pid}\n`, () => {
  void runner.kill();
  process.exit(0);
});
