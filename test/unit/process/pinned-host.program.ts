// A host that ends without having ended its plugin, for checksum.test.ts. Arguments: executable, its SHA-256.
import { CommandRunner } from "../../../src/process/command-runner.js";
import { pinExecutable } from "../../../src/process/pinned.js";

const [path = "", checksum = ""] = process.argv.slice(2);
const pinned = await pinExecutable(path, { checksum, hash: "sha256" });
const runner = new CommandRunner({ path: pinned.path, args: ["600"], env: {}, cwd: undefined });
await runner.start();
process.stdout.write(JSON.stringify({ path: pinned.path, pid: runner.pid }), () => process.exit(0));
