import { lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";

/** What a plugin that is killed leaves behind. */
export interface Leftover {
  /**
   * - `socket`: a unix socket. The path may be the plugin's word: whatever else lies there is left alone.
   * - `file`: a regular file that this process wrote.
   * - `folder`: a folder that this process made, which goes with the sockets in it, and stays if anything else is.
   */
  readonly kind: "socket" | "file" | "folder";
  readonly path: string;
}

/** Removes it, if it is what it should be; never recursively. Never throws: this runs while the process ends. */
export function removeLeftover({ kind, path }: Leftover): void {
  try {
    const info = lstatSync(path);
    if (kind === "socket" && info.isSocket()) unlinkSync(path);
    if (kind === "file" && info.isFile()) unlinkSync(path);
    if (kind === "folder" && info.isDirectory()) {
      for (const name of readdirSync(path)) removeLeftover({ kind: "socket", path: join(path, name) });
      rmdirSync(path);
    }
  } catch {
    // Gone already, or not ours to remove: nobody is left to be told.
  }
}
