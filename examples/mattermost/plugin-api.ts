// What a plugin can ask of the server: its API and its database driver, each a net/rpc service on a brokered stream.
import { Readable } from "node:stream";
import { gob, type MuxBroker, RemoteError } from "goplug";
import { ErrorString, throwError } from "./errors.ts";
import type {
  apiRPCServerCaller,
  CommandInput,
  dbRPCServerCaller,
  Post,
  PostInput,
  User,
  WebsocketBroadcastInput,
} from "./gen/definitions.ts";
import { headersOf, sendRequest } from "./http.ts";

/** The server's API. Errors are {@link AppError}s; `rpc` has all of its methods, as they are on the wire. */
export class PluginAPI {
  readonly rpc: apiRPCServerCaller;
  readonly #broker: MuxBroker;

  constructor(rpc: apiRPCServerCaller, broker: MuxBroker) {
    this.rpc = rpc;
    this.#broker = broker;
  }

  /** The plugin's settings, as the server keeps them in JSON. */
  async loadPluginConfiguration<T>(): Promise<T> {
    const { A } = await this.rpc.LoadPluginConfiguration({});
    return JSON.parse(A.toString());
  }

  async registerCommand(command: CommandInput): Promise<void> {
    throwError((await this.rpc.RegisterCommand({ A: command })).A);
  }

  async kvSet(key: string, value: Uint8Array): Promise<void> {
    throwError((await this.rpc.KVSet({ A: key, B: value })).A);
  }

  /** Empty where nothing is stored. */
  async kvGet(key: string): Promise<Buffer> {
    const { A, B } = await this.rpc.KVGet({ A: key });
    throwError(B);
    return A;
  }

  async getUser(id: string): Promise<User> {
    const { A, B } = await this.rpc.GetUser({ A: id });
    throwError(B);
    return A!;
  }

  async createPost(post: PostInput): Promise<Post> {
    const { A, B } = await this.rpc.CreatePost({ A: post });
    throwError(B);
    return A!;
  }

  async publishWebSocketEvent(
    event: string,
    payload: Record<string, unknown>,
    broadcast: WebsocketBroadcastInput,
  ): Promise<void> {
    await this.rpc.PublishWebSocketEvent({ A: event, B: payload, C: broadcast });
  }

  /** Keys and values take turns; as in Go they go as text. */
  async logInfo(message: string, ...pairs: unknown[]): Promise<void> {
    await this.rpc.LogInfo({ A: message, B: pairs.map(String) });
  }

  /** Asks another plugin, whose id is the first part of the path. Undefined: there is no answer. */
  async pluginHTTP(request: Request): Promise<Response | undefined> {
    const { request: subset, body } = sendRequest(request, this.#broker);
    let received!: (stream: Readable) => void;
    const stream = new Promise<Readable>((resolve) => {
      received = resolve;
    });
    const id = this.#broker.offer((duplex) => {
      duplex.end();
      received(duplex);
    });
    try {
      const { StatusCode: status, Header } = await this.rpc.PluginHTTPStream({
        Request: subset,
        RequestBodyStream: body,
        ResponseBodyStream: id,
      });
      if (status === 0) {
        (await stream).destroy();
        return undefined;
      }
      return new Response(Readable.toWeb(await stream) as ReadableStream, {
        status,
        headers: headersOf(Header),
      });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    // A server from before streams, which has not asked for the body.
    const RequestBody = Buffer.from(await request.arrayBuffer());
    const { Response: answer, ResponseBody } = await this.rpc.PluginHTTP({ Request: subset, RequestBody });
    return new Response(ResponseBody, { status: answer!.StatusCode, headers: headersOf(answer!.Header) });
  }
}

/** Go plugins look for this very text. */
function isMissing(error: unknown): boolean {
  return error instanceof RemoteError && error.message === "rpc: can't find method Plugin.PluginHTTPStream";
}

/** The server's database driver; `rpc` has all of its methods. */
export class Driver {
  readonly rpc: dbRPCServerCaller;

  constructor(rpc: dbRPCServerCaller) {
    this.rpc = rpc;
  }

  async conn(isMaster: boolean): Promise<string> {
    const { A, B } = await this.rpc.Conn(isMaster);
    throwError(B);
    return A;
  }

  async connClose(conn: string): Promise<void> {
    throwError((await this.rpc.ConnClose(conn)).A);
  }

  /** Runs a query and reads all of its rows. Values are as gob's interface values: 64-bit numbers that are safe are numbers. */
  async query(conn: string, query: string, ...args: unknown[]): Promise<Record<string, unknown>[]> {
    const C = args.map((value, i) => ({ Ordinal: i + 1, Value: typed(value) }));
    const { A: rows, B: error } = await this.rpc.ConnQuery({ A: conn, B: query, C });
    throwError(error);
    try {
      const { A: columns } = await this.rpc.RowsColumns(rows);
      const found: Record<string, unknown>[] = [];
      for (;;) {
        const { A: end, B: values } = await this.rpc.RowsNext({ A: rows, B: columns.map(() => null) });
        try {
          throwError(end);
        } catch (error) {
          if (error instanceof ErrorString && error.code === ErrorString.EOF) return found;
          throw error;
        }
        found.push(Object.fromEntries(columns.map((column, i) => [column, values[i]])));
      }
    } finally {
      throwError((await this.rpc.RowsClose(rows)).A);
    }
  }
}

/** The types that Go's database/sql has for numbers. */
function typed(value: unknown): unknown {
  if (typeof value === "bigint") return gob.value(gob.int64, value);
  if (typeof value !== "number") return value;
  return Number.isSafeInteger(value) ? gob.value(gob.int64, value) : gob.value(gob.float64, value);
}
