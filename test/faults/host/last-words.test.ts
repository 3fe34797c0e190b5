// What a plugin's stderr said last stands in the errors that its end, or that of its connection, leads to.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConnectionLostError, PluginExitedError, ShutdownError } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { greeter, kv, withClient } from "../../interop/support.js";
import { needs } from "../../support.js";

describe("a plugin's last words", needs("kv-netrpc", "misbehave"), () => {
  test("stand in the errors of the calls that its panic ended, and of those that come later", () =>
    withClient({ plugins: { kv }, cmd: [binary("kv-netrpc")] }, async (client) => {
      const store = await client.dispense("kv");
      const pending = assert.rejects(store.Hang(null), PluginExitedError);
      await assert.rejects(store.Crash("out of cheese"), /it panicked:\npanic: .*out of cheese/);
      await pending;
      await assert.rejects(store.Get("a"), (error: Error) => {
        assert(error instanceof ShutdownError);
        assert.match(
          error.message,
          /^connection is shut down: plugin .+ exited with code 2; it panicked:\npanic: /,
        );
        assert(error.cause instanceof PluginExitedError);
        return true;
      });
    }));

  test("stand in the error of a connection that breaks while it lives on", () => {
    const script = `echo "cannot reach the database" >&2; exec "$0" accept-close`;
    const config = { plugins: { greeter }, cmd: ["/bin/sh", "-c", script, binary("misbehave")] as const };
    return withClient(config, async (client) => {
      await client.start();
      await assert.rejects(client.ping(), (error: Error) => {
        assert(error instanceof ConnectionLostError, String(error));
        assert.match(
          error.message,
          /^the connection to plugin \/bin\/sh ended .*; the end of its stderr:\ncannot reach the database$/,
        );
        return true;
      });
    });
  });
});
