// Options that there are not: a line of the log each, with what may have been meant.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gob, type Logger, netRpcPlugin, nullLogger, serve } from "../../src/index.js";

const handshakeConfig = { protocolVersion: 1, magicCookieKey: "K", magicCookieValue: "V" };
const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] });

function listening(): { logger: Logger; warnings: string[] } {
  const warnings: string[] = [];
  return { warnings, logger: { ...nullLogger, warn: (message) => warnings.push(message) } };
}

test("a client warns of each", () => {
  const { logger, warnings } = listening();
  const config = {
    handshakeConfig,
    plugins: { greeter },
    cmd: ["./none"],
    logger,
    comand: 1,
    autoMtl: true,
    signal: new AbortController().signal,
    args: [],
    env: {},
    cwd: "/",
    unrelated: 1,
    absent: undefined,
  } as const;
  new Client(config);
  const ofCommand = "it belongs into cmd, { path, args, env, cwd }";
  assert.deepEqual(warnings, [
    "there is no option comand: did you mean cmd?",
    "there is no option autoMtl: did you mean autoMTLS?",
    "there is no option signal: it belongs to the methods: start, client, dispense, ping",
    `there is no option args: ${ofCommand}`,
    `there is no option env: ${ofCommand}`,
    `there is no option cwd: ${ofCommand}`,
    "there is no option unrelated",
  ]);
});

test("serve warns, too", async () => {
  const { logger, warnings } = listening();
  const plugins = { greeter: greeter.implement({ Greet: () => "" }) };
  const config = { handshakeConfig, plugins, logger, networc: "tcp", test: {}, signal: AbortSignal.abort() };
  await serve(config);
  assert.deepEqual(warnings, ["there is no option networc: did you mean network?"]);
});
