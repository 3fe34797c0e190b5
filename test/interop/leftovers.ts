// What a case leaves in the folder for temporary files: sockets, folders, pinned executables. Nothing may be left.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What stays there on purpose: what tsx and Node have compiled, and what several cases share until the matrix ends. */
export const isKept = (name: string): boolean => /^(tsx-|node-compile-cache|shared-)/.test(name);
/** How long what ends after its case may take to clean up. */
const PATIENCE_MS = 10_000;

/** A folder for temporary files of this process and all that it starts, empty and its own. */
export class TemporaryFolder implements Disposable {
  readonly #path = mkdtempSync(join(tmpdir(), "ip-"));
  #known = new Set<string>();

  /** Before anything asks for the folder. */
  constructor() {
    for (const name of ["TMPDIR", "TMP", "TEMP"]) process.env[name] = this.#path;
  }

  /** The names of what has come since the last look, and stays. */
  async leftovers(): Promise<string[]> {
    let left: string[] = [];
    for (let waited = 0; waited <= PATIENCE_MS; waited += 50) {
      left = readdirSync(this.#path).filter((name) => !isKept(name) && !this.#known.has(name));
      if (left.length === 0) return [];
      await sleep(50);
    }
    this.#known = new Set([...this.#known, ...left]);
    return left;
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}
