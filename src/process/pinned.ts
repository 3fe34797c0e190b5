import { mkdtemp, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { GoplugError } from "../errors.js";
import {
  ChecksumError,
  checksumMismatch,
  openRegular,
  readChunks,
  type SecureConfig,
  startCheck,
} from "./checksum.js";
import { type Leftover, removeLeftover } from "./host-end/leftover.js";
import { removeWithHost } from "./host-end/registry.js";

export interface PinOptions {
  /** Where the private directory is made; must allow execution (no `noexec` mount). Default: os.tmpdir(). */
  readonly directory?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A verified executable that nobody else can change. */
export interface PinnedExecutable extends AsyncDisposable {
  /** What to start. Its last part is the original's name. */
  readonly path: string;
  /**
   * Removes the copy; harmless when called again, never rejects. A process that runs from it goes on (on Windows the
   * file cannot be removed before the process has ended), but cannot start itself anew. A copy that was not released
   * is removed when this process ends while a plugin runs.
   */
  release(): Promise<void>;
}

/**
 * Verifies an executable and gives back a copy to start, so that the bytes that were checked are the bytes that run.
 *
 * The copy is written while the digest is computed, into a new directory that only this user may enter (0700), and
 * is not writable itself (0500). Whatever happens to the original afterwards (replaced by a rename, overwritten in
 * place) comes too late. Starting the checked file through its open descriptor (/proc/self/fd/N) would guard against
 * renames only, would not work for scripts, whose interpreter opens the file anew, and exists on Linux alone; the copy
 * works for binaries and scripts, on every system.
 *
 * What it does not cover: a script's interpreter, libraries and imports, which are not part of the file; and this
 * user's own processes (on Windows the directory has the permissions of its parent: the user's own temp directory).
 * A program that looks for files beside itself looks in the copy's directory; set-user-id bits and file capabilities
 * are not copied.
 *
 * @param path of the file itself: it is not looked up in PATH
 * @throws ChecksumError, AbortedError; nothing is left behind then
 */
export async function pinExecutable(
  path: string,
  config: SecureConfig,
  { directory = tmpdir(), signal }: PinOptions = {},
): Promise<PinnedExecutable> {
  const check = startCheck(config);
  const { handle, mode } = await openRegular(path);
  const made: Leftover[] = [];
  const forgets: (() => void)[] = [];
  const remember = (leftover: Leftover): void => {
    made.push(leftover);
    forgets.push(removeWithHost(leftover.kind, leftover.path));
  };
  const remove = async (): Promise<void> => {
    for (const leftover of made) removeLeftover(leftover);
    for (const forget of forgets) forget();
  };
  try {
    const home = await mkdtemp(join(directory, "goplug-pinned-"));
    const copy = join(home, basename(path));
    // The file before the folder that it is in.
    remember({ kind: "file", path: copy });
    remember({ kind: "folder", path: home });
    // A file that nobody may execute stays so, and fails to start as the original would.
    const target = await open(copy, "wx", mode & 0o111 ? 0o500 : 0o400);
    try {
      for await (const chunk of readChunks(handle, path, signal)) {
        check.update(chunk);
        await target.writeFile(chunk);
      }
    } finally {
      await target.close();
    }
    if (!check.matches()) throw checksumMismatch();
    return { path: copy, release: remove, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    if (error instanceof GoplugError) throw error;
    const message = `cannot copy ${path} to a private directory in ${directory}: ${(error as Error).message}`;
    throw new ChecksumError("ERR_CHECKSUM_FILE", message, { cause: error });
  } finally {
    await handle.close();
  }
}
