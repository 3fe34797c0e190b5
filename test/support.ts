import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { basename, join } from "node:path";
import { missingBinaries } from "./interop/case.js";

/** Where a test can listen: on a socket in the folder, on Windows on a named pipe. */
export function listenPath(folder: string, name: string): string {
  return process.platform === "win32" ? `\\\\.\\pipe\\${basename(folder)}-${name}` : join(folder, name);
}

/** The option for tests that need fixture binaries: skipped without them, but under CI=true they must be there. */
export function needs(...binaries: string[]): { skip: string | false } {
  const missing = missingBinaries(binaries);
  if (missing.length === 0) return { skip: false };
  if (process.env.CI === "true") throw new Error(`missing fixtures: ${missing.join(", ")}`);
  return { skip: `needs ${missing.join(", ")} (make fixtures)` };
}

/** Reads a socket that is read in place to its end, with a pause after each chunk, in which none may come. */
export function readWithPauses(
  socket: Socket,
  read: (take: (chunk: Buffer) => void) => void,
): Promise<Buffer> {
  const got: Buffer[] = [];
  let paused = false;
  read((chunk) => {
    assert.equal(paused, false);
    got.push(Buffer.from(chunk));
    paused = true;
    socket.pause();
    setImmediate(() => {
      paused = false;
      socket.resume();
    });
  });
  return new Promise((resolve) => socket.once("end", () => resolve(Buffer.concat(got))));
}
