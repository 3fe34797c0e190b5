// Runners that never settle: the start's limit, its signal and kill() have their effect all the same.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientConfig, Runner } from "../../../src/index.js";
import { Client, CommandRunner, nullLogger } from "../../../src/index.js";
import { greeter, handshakeConfig, isRunning, until } from "../../interop/support.js";

const never = new Promise<never>(() => {});
const plugins = { greeter };

function clientOf(
  runner: NonNullable<ClientConfig["runner"]>,
  startTimeout = 60_000,
): Client<typeof plugins> {
  const cmd = ["sleep", "60"] as const;
  return new Client({ handshakeConfig, plugins, cmd, runner, startTimeout, logger: nullLogger });
}

/** Starts late: its plugin runs when nobody wants it any more. */
class LateRunner extends CommandRunner {
  begin!: () => void;
  override async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.begin = resolve;
    });
    await super.start();
  }
}

const stuck: Record<string, NonNullable<ClientConfig["runner"]>> = {
  "a factory": () => never,
  "a start": (command) => Object.assign(new CommandRunner(command), { start: () => never }),
};

describe("never settles", () => {
  for (const [what, runner] of Object.entries(stuck)) {
    test(`${what}: the start's limit ends it`, async () => {
      const client = clientOf(runner, 50);
      await assert.rejects(client.start(), {
        code: "ERR_START_TIMEOUT",
        message: /^timeout while waiting for plugin to start: .* had not started it within 50 ms/,
      });
      await client.kill();
    });

    test(`${what}: the signal and the timeout of the call end it`, async () => {
      const abort = new AbortController();
      const starting = clientOf(runner).start({ signal: abort.signal });
      setImmediate(() => abort.abort("enough"));
      await assert.rejects(starting, { code: "ERR_ABORTED", cause: "enough" });
      await assert.rejects(clientOf(runner).start({ timeout: 20 }), { code: "ERR_TIMEOUT" });
    });

    test(`${what}: kill ends it`, async () => {
      const client = clientOf(runner);
      const rejected = assert.rejects(client.dispense("greeter"), { code: "ERR_ABORTED" });
      await sleep(20);
      await client.kill();
      await rejected;
      await assert.rejects(client.start(), { code: "ERR_CLIENT_ENDED" });
    });
  }

  test("a reattachment's runner: the limit, the signal and kill end it", async () => {
    const config = {
      handshakeConfig,
      plugins,
      logger: nullLogger,
      reattach: { address: { network: "unix", address: "/s" }, runner: () => never },
    } as const;
    await assert.rejects(new Client({ ...config, startTimeout: 20 }).start(), { code: "ERR_START_TIMEOUT" });
    await assert.rejects(new Client(config).start({ signal: AbortSignal.timeout(20) }), {
      code: "ERR_ABORTED",
    });
    const client = new Client(config);
    const rejected = assert.rejects(client.start(), { code: "ERR_ABORTED" });
    await client.kill();
    await rejected;
  });

  test("a start that comes late is ended when it comes", { skip: process.platform === "win32" }, async () => {
    let runner: LateRunner | undefined;
    const client = clientOf((command) => {
      runner = new LateRunner(command);
      return runner;
    }, 1000);
    await assert.rejects(client.start(), { code: "ERR_START_TIMEOUT" });
    runner!.begin();
    await until("the start", () => runner!.pid !== undefined);
    const pid = runner!.pid!;
    await until("the end", () => !isRunning(pid));
  });
});

describe("a factory", () => {
  test("that throws or rejects: its error is the start's", async () => {
    const error = new RangeError("no container");
    const throwing = (): Runner => {
      throw error;
    };
    await assert.rejects(clientOf(throwing).start(), (thrown) => thrown === error);
    await assert.rejects(clientOf(() => Promise.reject(error)).start(), (thrown) => thrown === error);
  });
});
