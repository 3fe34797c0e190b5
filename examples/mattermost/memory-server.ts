import { gob } from "goplug";
import type { Server } from "./environment.ts";
import { AppError } from "./errors.ts";

/** A server in memory, with one user and one table; every call that changes something is kept as a line. */
export function memoryServer(): Server & { settings: Record<string, unknown>; calls: string[] } {
  const calls: string[] = [];
  const values = new Map<string, Buffer>();
  const settings: Record<string, unknown> = { greeting: "Welcome" };
  return {
    settings,
    calls,
    configuration: () => settings,
    registerCommand: ({ Trigger, DisplayName, AutoComplete }) =>
      void calls.push(`RegisterCommand ${Trigger} ${DisplayName} ${AutoComplete}`),
    kvSet(key, value) {
      if (key === "refused") {
        throw new AppError({
          Where: "KVSet",
          Id: "app.plugin_store.save.app_error",
          DetailedError: key,
          StatusCode: 500,
        });
      }
      calls.push(`KVSet ${key}=${value}`);
      values.set(key, value);
    },
    kvGet: (key) => values.get(key),
    getUser(id) {
      if (id === "user1") return { Id: id, Username: "ann", Props: { a: "b" } };
      const missing = "app.user.missing_account.const";
      throw new AppError({ Where: "GetUser", Id: missing, DetailedError: id, StatusCode: 404 });
    },
    createPost(post) {
      calls.push(`CreatePost ${post.UserId} ${post.ChannelId}: ${post.Message}`);
      return { ...post, Id: "post1", CreateAt: 1_700_000_000_000 };
    },
    publishWebSocketEvent(event, payload, { UserId }) {
      // Go's maps have no order.
      const fields = JSON.stringify(Object.fromEntries([...payload].sort()));
      calls.push(`PublishWebSocketEvent ${event} ${fields} ${UserId}`);
    },
    logInfo: (message, pairs) => void calls.push(`LogInfo ${message} [${pairs.join(" ")}]`),
    async pluginHTTP(request) {
      const body = Buffer.from(await request.arrayBuffer());
      calls.push(`PluginHTTP ${request.method} ${new URL(request.url).pathname} ${body.length}`);
      return new Response(body, { status: 202, headers: { "X-Other": "yes" } });
    },
    query(query, [author]) {
      calls.push(`Query ${query} ${author}`);
      return [1, 2].map((n) => ({ Name: `plugin ${n}`, Age: gob.value(gob.int64, n) }));
    },
  };
}
