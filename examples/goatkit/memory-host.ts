import type { Email, HostAPI } from "./host-api.ts";

/** A host in memory: one table, a cache, and canned answers. */
export function memoryHost(): HostAPI & { emails: Email[] } {
  const queues: unknown[] = [];
  const cache = new Map<string, Uint8Array>();
  const emails: Email[] = [];
  return {
    emails,
    dbQuery(query, [queue], caller) {
      if (!query.startsWith("SELECT ")) throw new Error(`${caller} may not: ${query}`);
      return queues.map((value, i) => ({ id: i + 1, queue: value })).filter((row) => row.queue === queue);
    },
    dbExec(query, [queue], caller) {
      if (!query.startsWith("INSERT ")) throw new Error(`${caller} may not: ${query}`);
      queues.push(queue);
      return 1;
    },
    cacheGet: (key) => cache.get(key),
    cacheSet: (key, value) => void cache.set(key, value),
    async httpRequest({ method, url, headers, body = Buffer.alloc(0) }) {
      const text = `${method} ${url} ${Buffer.from(body).toString()} from ${headers?.["X-Plugin"]}`;
      return { status: 200, body: Buffer.from(text) };
    },
    sendEmail: (email) => void emails.push(email),
    configGet(key) {
      if (key !== "site.name") throw new Error(`no such setting: ${key}`);
      return "GoatFlow";
    },
    translate: (key, [count]) => (key === "stats.open" ? `${count} open tickets` : key),
    async callPlugin(plugin, fn, args) {
      if (plugin !== "hello" || fn !== "greet") throw new Error(`plugin not found: ${plugin}`);
      return { greeting: `Hello, ${(args as { name: string }).name}!` };
    },
  };
}
