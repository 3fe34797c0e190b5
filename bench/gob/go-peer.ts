import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Go's encoding/gob in a process of its own, measured on request. */
export class GoPeer {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    const path = fileURLToPath(new URL("../../go-fixtures/bin/gobpeer", import.meta.url));
    this.#child = spawn(path, { stdio: ["pipe", "pipe", "inherit"] });
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Nanoseconds an operation. */
  async measure(row: string, n: number): Promise<number> {
    this.#child.stdin!.write(`${JSON.stringify({ op: "bench", row, n })}\n`);
    const { value } = await this.#answers.next();
    const answer = JSON.parse(value as string) as { ns?: number; error?: string };
    if (answer.ns === undefined) throw new Error(`gobpeer: ${answer.error}`);
    return answer.ns;
  }

  close(): void {
    this.#child.stdin!.end();
  }
}
