import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { PluginSet } from "../../src/definition/plugin.js";
import * as gob from "../../src/gob/index.js";
import { nullLogger } from "../../src/hclog/logger.js";
import { Client, type ClientConfig, netRpcPlugin } from "../../src/index.js";

/** The handshake of every fixture. */
export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

export const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] });

/** The service of the fixture kv, as go-fixtures/shared/kv documents it. */
export const kv = netRpcPlugin({
  Put: [gob.map(gob.string, gob.any), gob.any],
  Get: [gob.string, gob.bytes],
  Echo: [gob.bytes, gob.bytes],
  Sleep: [gob.int, gob.int],
  Pid: [gob.any, gob.int],
  Env: [gob.string, gob.string],
  WriteStdout: [gob.int, gob.int],
  WriteStderr: [gob.int, gob.int],
  Print: [gob.string, gob.int],
  PrintErr: [gob.string, gob.int],
  LogAll: [gob.string, gob.int],
  RawStderr: [gob.string, gob.int],
  Hang: [gob.any, gob.any],
  Exit: [gob.int, gob.any],
  Crash: [gob.string, gob.any],
  KillSelf: [gob.any, gob.any],
  Freeze: [gob.any, gob.any],
  NoSuchMethod: [gob.string, gob.any],
});

/** The fixtures' byte pattern: byte i is (i * 31 + 7) & 0xff. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + 7) & 0xff;
  return bytes;
}

/** Keeps what is written to it. */
export class Collector extends Writable {
  readonly #chunks: Buffer[] = [];
  size = 0;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    this.size += chunk.length;
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** Runs `use` with a client, and makes sure afterwards that neither process nor socket file is left. */
export async function withClient<P extends PluginSet>(
  config: Omit<ClientConfig<P>, "handshakeConfig">,
  use: (client: Client<P>) => Promise<void>,
): Promise<void> {
  const client = new Client<P>({ logger: nullLogger, handshakeConfig, ...config });
  try {
    await use(client);
  } finally {
    await client.kill();
    assertGone(client);
  }
}

/** Nothing of a killed client's plugin may be left. */
export function assertGone(client: {
  id: string;
  address: { network: string; address: string } | undefined;
}): void {
  if (client.id !== "") assert.equal(isRunning(Number(client.id)), false, `process ${client.id} is left`);
  const { network, address } = client.address ?? {};
  if (network === "unix") assert.equal(existsSync(address!), false, `socket ${address} is left`);
}

/** How a process ends that another one, or itself, has ended by force; on Windows Node calls its own kill a signal, too. */
export const killedByOther =
  process.platform === "win32" ? { code: 1, signal: null } : { code: null, signal: "SIGKILL" };

/** Waits until a process that stops itself has stopped. Windows does not tell, so there a while has to do. */
export async function stopped(pid: number): Promise<void> {
  if (process.platform === "win32") return sleep(1000);
  await until("the plugin to stop", () => statesOf(pid).every((state) => state.startsWith("T")));
}

/** Stops a process: its threads heed the signal one by one, when each has its turn. */
export async function stop(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await stopped(pid);
}

/** The states of a process's threads; where these are not to be seen, its own. */
function statesOf(pid: number): string[] {
  if (process.platform !== "linux")
    return [execFileSync("ps", ["-o", "state=", "-p", String(pid)], { encoding: "utf8" })];
  return readdirSync(`/proc/${pid}/task`).map((id) => stateIn(`/proc/${pid}/task/${id}/stat`));
}

/** proc(5): the state is behind the name, which may hold anything. */
function stateIn(file: string): string {
  const text = readFileSync(file, "latin1");
  return text.slice(text.lastIndexOf(")") + 2);
}

/** Whether a process runs: one that has ended and waits for its parent, as orphans do in a container without an init, does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !stateIn(`/proc/${pid}/stat`).startsWith("Z");
  } catch {
    return false;
  }
}

/** Waits until `condition` holds, 30 s at most: on a busy machine a program may start for seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 10) {
    if (condition()) return;
    await sleep(10);
  }
  assert.fail(`did not happen within 30 s: ${what}`);
}
