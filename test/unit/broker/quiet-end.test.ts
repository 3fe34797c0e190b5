// What ends as it should is not worth a line in the log; a call that is cut off by the other side is.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MuxBroker } from "../../../src/broker/mux-broker.js";
import * as gob from "../../../src/gob/index.js";
import { type Logger, nullLogger } from "../../../src/hclog/logger.js";
import { delay, pipePair, sessions, until } from "../yamux/support.js";

const table = { Now: [gob.any, gob.string], Never: [gob.any, gob.string] } as const;

function served(t: TestContext) {
  const { client, server } = sessions(t, pipePair());
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  const logger: Logger = { ...nullLogger, info: keep, warn: keep, error: keep };
  const [here, there] = [new MuxBroker(client, { logger }), new MuxBroker(server)];
  let entered = 0;
  const id = here.serve(table, {
    Now: () => "now",
    Never: () => {
      entered++;
      return new Promise<string>(() => {});
    },
  });
  return { client, server, there, id, lines, busy: () => until(() => entered > 0, "a call under way") };
}

test("a callback's connection that its caller closes", async (t) => {
  const { there, id, lines } = served(t);
  const api = await there.connect(id, table);
  assert.equal(await api.Now(null), "now");
  await api[Symbol.asyncDispose]();
  await delay(20);
  assert.deepEqual(lines, []);
});

for (const [what, end] of [
  ["this side", "client"],
  ["the other side", "server"],
] as const) {
  for (const method of ["Now", "Never"] as const) {
    test(`a session that ${what} ends, ${method === "Now" ? "with an idle callback" : "in the middle of a callback"}`, async (t) => {
      const parts = served(t);
      const api = await parts.there.connect(parts.id, table);
      const call = api[method](null);
      call.catch(() => {});
      if (method === "Now") await call;
      else await parts.busy();
      await parts[end].close();
      await Promise.all([parts.client.closed, parts.server.closed]);
      await delay(20);
      const lost = end === "server" && method === "Never";
      assert.deepEqual(parts.lines, lost ? ["rpc: connection lost"] : []);
    });
  }
}

test("a connection that is lost in the middle of a call is told, while the session lives", async (t) => {
  const { there, id, lines, busy } = served(t);
  const api = await there.connect(id, table);
  const call = assert.rejects(api.Never(null));
  await busy();
  await api[Symbol.asyncDispose]();
  await call;
  await until(() => lines.length > 0, "the log line");
  assert.deepEqual(lines, ["rpc: connection lost"]);
});
