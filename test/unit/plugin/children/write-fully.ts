// Writes 1 MiB to a pipe that is non-blocking and at first not read; exits with 0 if everything went out.
import { writeFully } from "../../../../src/plugin/write-sync.js";

// Node makes the pipe non-blocking when the stream is made.
process.stdout.on("error", () => {});
const timeout = Number(process.argv[2]);
process.exitCode = writeFully(1, "x".repeat(1 << 20), timeout) ? 0 : 9;
