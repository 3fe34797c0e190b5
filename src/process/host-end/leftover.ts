import { lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { basename, join } from "node:path";

/** What a process leaves behind that is killed. */
export interface Leftover {
  /**
   * - `socket`: a unix socket. The path may be the plugin's word: whatever else lies there is left alone.
   * - `file`: a regular file that this process wrote.
   * - `placeholder`: the empty file `plugin123…` by which a plugin in Go chooses its socket's name (server.go,
   *   serverListener_unix). Any other file is left alone.
   * - `folder`: a folder that this process made for sockets. It goes with them and with placeholders, and stays if anything
   *   else is in it.
   */
  readonly kind: "socket" | "file" | "placeholder" | "folder";
  readonly path: string;
}

/**
 * Removes it, if it is what it should be; never recursively. Never throws, as this also runs while the process ends:
 * gives what has prevented it instead, and undefined where nothing is left.
 */
export function removeLeftover({ kind, path }: Leftover): Error | undefined {
  try {
    const info = lstatSync(path);
    if (kind === "socket" && info.isSocket()) unlinkSync(path);
    if (kind === "file" && info.isFile()) unlinkSync(path);
    if (kind === "placeholder" && info.isFile() && info.size === 0 && /^plugin\d+$/.test(basename(path)))
      unlinkSync(path);
    if (kind === "folder" && info.isDirectory()) {
      for (const name of readdirSync(path)) {
        for (const each of ["socket", "placeholder"] as const)
          removeLeftover({ kind: each, path: join(path, name) });
      }
      rmdirSync(path);
    }
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : (error as Error);
  }
}
