// The service of go-fixtures/shared/kv.
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { netRpcPlugin } from "../../../../src/definition/net-rpc-plugin.js";
import * as gob from "../../../../src/gob/index.js";
import { LEVELS } from "../../../../src/hclog/logger.js";
import { pluginLogger } from "../../../../src/plugin/logger.js";
import { lastWords, pattern, write } from "../serve-fixture.js";

const kv = netRpcPlugin({
  Put: [gob.map(gob.string, gob.any), gob.any],
  Get: [gob.string, gob.bytes],
  Echo: [gob.bytes, gob.bytes],
  Sleep: [gob.int, gob.int],
  Pid: [gob.any, gob.int],
  Env: [gob.string, gob.string],
  WriteStdout: [gob.int, gob.int],
  WriteStderr: [gob.int, gob.int],
  Print: [gob.rawString, gob.int],
  PrintErr: [gob.rawString, gob.int],
  LogAll: [gob.string, gob.int],
  RawStderr: [gob.string, gob.int],
  Hang: [gob.any, gob.any],
  Exit: [gob.int, gob.any],
  Crash: [gob.string, gob.any],
  KillSelf: [gob.any, gob.any],
  Block: [gob.int, gob.int],
  Freeze: [gob.any, gob.any],
});

const logger = pluginLogger({ name: "kv" });
const values = new Map<string, Uint8Array>();

const implementation = kv.implement({
  Put(args) {
    const [key, value] = [args.get("key"), args.get("value")];
    if (typeof key !== "string") throw new Error(`key is ${typeof key}, not string`);
    if (!(value instanceof Uint8Array)) throw new Error(`value is ${typeof value}, not []byte`);
    values.set(key, value);
    return null;
  },
  Get(key) {
    const value = values.get(key);
    if (value === undefined) throw new Error(`key not found: ${key}`);
    return value;
  },
  Echo: (bytes) => bytes,
  Sleep: (ms) => sleep(ms, ms),
  Pid: () => process.pid,
  Env: (name) => process.env[name] ?? "",
  WriteStdout: (n) => write(process.stdout, pattern(n)),
  WriteStderr: (n) => write(process.stderr, pattern(n)),
  Print: (text) => write(process.stdout, text),
  PrintErr: (text) => write(process.stderr, text),
  LogAll(message) {
    for (const [n, level] of LEVELS.entries()) logger[level](message, { method: "LogAll", n });
    return LEVELS.length;
  },
  RawStderr: (text) => writeSync(2, text),
  Hang: () => new Promise<never>(() => {}),
  Exit(code) {
    lastWords();
    process.exit(code);
  },
  Crash(message) {
    lastWords();
    setImmediate(() => {
      throw new Error(message);
    });
    return new Promise<never>(() => {});
  },
  async KillSelf() {
    process.kill(process.pid, "SIGKILL");
    return await new Promise<never>(() => {});
  },
  Block(ms) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    return ms;
  },
  Freeze() {
    process.kill(process.pid, "SIGSTOP");
    return null;
  },
});

export const plugins = { kv: implementation };
