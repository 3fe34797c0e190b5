import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { binary } from "../../test/interop/case.js";
import type { Subject } from "../harness.js";
import type { Workload } from "./workloads.js";

/** How long one figure is measured; what is measured first runs twice as long before it. */
const MILLISECONDS = 400;

/** Makes calls, `inFlight` at a time, and gives the units a second. */
export function driver(inFlight: number, one: () => Promise<number>): Subject {
  const drive = async (milliseconds: number): Promise<number> => {
    const start = performance.now();
    let units = 0;
    const worker = async (): Promise<void> => {
      while (performance.now() - start < milliseconds) {
        const done = await one();
        units += done;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
    return (units / (performance.now() - start)) * 1000;
  };
  let warm = false;
  return async () => {
    if (!warm) await drive(2 * MILLISECONDS);
    warm = true;
    return drive(MILLISECONDS);
  };
}

/** A program that measures itself for every line of its stdin, and prints a line of JSON: the calls and the seconds. */
class Program {
  readonly #command: readonly string[];
  #process: ChildProcess | undefined;
  #lines: AsyncIterator<string> | undefined;

  constructor(command: readonly string[]) {
    this.#command = command;
  }

  /** Units a second. */
  readonly measure: Subject = async () => {
    if (this.#process === undefined) this.#start();
    this.#process!.stdin!.write("measure\n");
    const { value, done } = await this.#lines!.next();
    if (done === true) throw new Error(`${this.#command[0]} has ended`);
    const { calls, seconds } = JSON.parse(value) as { calls: number; seconds: number };
    return calls / seconds;
  };

  #start(): void {
    const [command, ...args] = this.#command;
    this.#process = spawn(command!, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.#process.stdout!)[Symbol.asyncIterator]();
  }

  async stop(): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null) return;
    this.#process.stdin!.end();
    await once(this.#process, "exit");
  }
}

/** A Go host on a plugin, which it keeps until it is stopped. */
export class GoHost extends Program {
  constructor({ name, size }: Workload, command: readonly string[]) {
    const settings = ["-grpc", "-repeat", "-mode", name, "-size", String(size), "-for", `${MILLISECONDS}ms`];
    super([binary("bench-host-kv"), ...settings, "--", ...command]);
  }
}

/** A bare grpc-js client of a plugin that runs: what it leaves in memory must not be goplug's to clear away. */
export class BareClient extends Program {
  /** @param program bare.ts, compiled */
  constructor(program: string, { name }: Workload, target: string) {
    super([process.execPath, program, name, target]);
  }
}
