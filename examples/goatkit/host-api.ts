// The API that a host offers to its plugins, on both ends of the brokered stream.
import type { Caller, CallOptions, MuxBroker } from "goplug";
import { fromJson, hostMethods, toJson } from "./contract.ts";
import { HostError, UnknownMethodError } from "./errors.ts";

export interface HttpRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

export interface Email {
  to: string;
  subject: string;
  body: string;
  html?: boolean;
}

type Row = Record<string, unknown>;

/** What a host implements. `caller` is the plugin that asks. */
export interface HostAPI {
  dbQuery(query: string, args: unknown[], caller: string): Promise<Row[]> | Row[];
  /** Gives the number of rows affected. */
  dbExec(query: string, args: unknown[], caller: string): Promise<number> | number;
  cacheGet(key: string): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  cacheSet(key: string, value: Uint8Array, ttlSeconds: number): Promise<void> | void;
  httpRequest(request: HttpRequest): Promise<{ status: number; body: Uint8Array }>;
  sendEmail(email: Email): Promise<void> | void;
  configGet(key: string): Promise<string> | string;
  translate(key: string, args: unknown[]): Promise<string> | string;
  callPlugin(plugin: string, fn: string, args: unknown, caller: string): Promise<unknown>;
}

const bytesOf = (base64: string | null | undefined): Buffer => Buffer.from(base64 ?? "", "base64");
const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

// biome-ignore lint/suspicious/noExplicitAny: JSON from the plugin, with the shape that each method documents
type Args = any;

/** Wire name to what it does with the host. Go's []byte is base64 in JSON. */
const methods: Record<string, (host: HostAPI, args: Args, caller: string) => unknown> = {
  db_query: (host, { query, args }, caller) => host.dbQuery(query, args ?? [], caller),
  db_exec: async (host, { query, args }, caller) => ({
    affected: await host.dbExec(query, args ?? [], caller),
  }),
  async cache_get(host, { key }) {
    const value = await host.cacheGet(key);
    return { value: value === undefined ? null : base64Of(value), found: value !== undefined };
  },
  async cache_set(host, { key, value, ttl }) {
    await host.cacheSet(key, bytesOf(value), ttl ?? 0);
    return { ok: true };
  },
  async http_request(host, { method, url, headers, body }) {
    const answer = await host.httpRequest({ method, url, headers: headers ?? {}, body: bytesOf(body) });
    return { status: answer.status, body: base64Of(answer.body) };
  },
  async send_email(host, email) {
    await host.sendEmail(email);
    return { ok: true };
  },
  config_get: async (host, { key }) => ({ value: await host.configGet(key) }),
  translate: async (host, { key, args }) => ({ value: await host.translate(key, args ?? []) }),
  plugin_call: (host, { plugin, function: fn, args }, caller) => host.callPlugin(plugin, fn, args, caller),
};

/**
 * Serves the host's API to one plugin and gives the broker id for Init. `caller` goes before what the plugin says of
 * itself. (Go: HostAPIRPCServer)
 */
export function serveHostAPI(broker: MuxBroker, host: HostAPI, caller: string): number {
  const receiver = {
    async Call({ Method, Args, CallerPlugin }: { Method: string; Args: Uint8Array; CallerPlugin: string }) {
      try {
        const method = methods[Method];
        if (method === undefined) throw new UnknownMethodError(Method);
        return { Result: toJson(await method(host, fromJson(Args) ?? {}, caller || CallerPlugin)) };
      } catch (error) {
        return { Error: error instanceof Error ? error.message : String(error) };
      }
    },
  };
  // Plugins of the first generation call HostAPI.Call, a name that their own host does not serve.
  return broker.serve(hostMethods, receiver, { names: ["Plugin", "HostAPI"] });
}

/** How a plugin calls its host (Go: HostAPIRPCClient). Errors of the host are {@link HostError}s. */
export class HostAPIClient {
  readonly #rpc: Caller<typeof hostMethods> & AsyncDisposable;
  readonly #name: string;

  private constructor(rpc: Caller<typeof hostMethods> & AsyncDisposable, name: string) {
    this.#rpc = rpc;
    this.#name = name;
  }

  static async connect(broker: MuxBroker, id: number, name: string): Promise<HostAPIClient> {
    return new HostAPIClient(await broker.connect(id, hostMethods), name);
  }

  async call(method: string, args: unknown, options?: CallOptions): Promise<Args> {
    const { Result, Error: text } = await this.#rpc.Call(
      { Method: method, Args: toJson(args), CallerPlugin: this.#name },
      options,
    );
    if (text !== "") throw HostError.of(text);
    return fromJson(Result);
  }

  dbQuery(query: string, ...args: unknown[]): Promise<Row[]> {
    return this.call("db_query", { query, args });
  }

  async dbExec(query: string, ...args: unknown[]): Promise<number> {
    return (await this.call("db_exec", { query, args })).affected;
  }

  async cacheGet(key: string): Promise<Buffer | undefined> {
    const { value, found } = await this.call("cache_get", { key });
    return found ? bytesOf(value) : undefined;
  }

  async cacheSet(key: string, value: Uint8Array, ttlSeconds: number): Promise<void> {
    await this.call("cache_set", { key, value: base64Of(value), ttl: ttlSeconds });
  }

  async httpRequest({ body, ...request }: HttpRequest): Promise<{ status: number; body: Buffer }> {
    const answer = await this.call("http_request", { ...request, body: body && base64Of(body) });
    return { status: answer.status, body: bytesOf(answer.body) };
  }

  async sendEmail(email: Email): Promise<void> {
    await this.call("send_email", email);
  }

  async configGet(key: string): Promise<string> {
    const answer = await this.call("config_get", { key });
    return typeof answer === "string" ? answer : answer.value;
  }

  async translate(key: string, ...args: unknown[]): Promise<string> {
    const answer = await this.call("translate", { key, args });
    return typeof answer === "string" ? answer : answer.value;
  }

  callPlugin(plugin: string, fn: string, args: unknown): Promise<unknown> {
    return this.call("plugin_call", { plugin, function: fn, args });
  }
}
