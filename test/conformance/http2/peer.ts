// Go's golang.org/x/net/http2/hpack live: go-fixtures/http2/hpackpeer, a JSON request and a JSON answer per line.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { HeaderList } from "../../../src/http2/hpack-decoder.js";
import { binary } from "../../interop/case.js";

interface Answer {
  fields?: [string, string][];
  hex?: string;
  error?: string;
}

const hex = (text: string): string => Buffer.from(text, "latin1").toString("hex");
const unhex = (text: string): string => Buffer.from(text, "hex").toString("latin1");

export class HpackPeer {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    this.#child = spawn(binary("hpackpeer"), { stdio: ["pipe", "pipe", "inherit"] });
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async encode(headers: HeaderList): Promise<Buffer> {
    const fields: [string, string][] = [];
    for (let i = 0; i < headers.length; i += 2) fields.push([hex(headers[i]!), hex(headers[i + 1]!)]);
    return Buffer.from((await this.#ask({ op: "encode", fields })).hex ?? "", "hex");
  }

  async decode(block: Uint8Array): Promise<HeaderList> {
    const { fields = [] } = await this.#ask({ op: "decode", hex: Buffer.from(block).toString("hex") });
    return fields.flat().map(unhex);
  }

  /** The size of the table that the peer's encoder uses from now on. */
  async setTableSize(size: number): Promise<void> {
    await this.#ask({ op: "size", size });
  }

  close(): void {
    this.#child.stdin!.end();
  }

  async #ask(request: Record<string, unknown>): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error("hpackpeer has ended");
    const answer = JSON.parse(value as string) as Answer;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }
}
