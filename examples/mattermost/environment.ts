// A host of Mattermost server plugins: what Mattermost's server is for them (Go: Environment, supervisor, hooksRPCClient).
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type ByteSource, Client, type ClientConfig, collectBytes, type MuxBroker } from "goplug";
import { appErrorOf, appErrorValue, ErrorString, errorOf, errorValue, throwError } from "./errors.ts";
import {
  apiRPCServer,
  type apiRPCServerReceiver,
  type Command,
  type CommandArgsInput,
  type CommandResponse,
  type ContextInput,
  dbRPCServer,
  type dbRPCServerReceiver,
  type FileInfo,
  handshake,
  type hooksRPCServerCaller,
  type Post,
  type PostInput,
  pluginMap,
  registry,
  type UserInput,
  type WebsocketBroadcast,
} from "./gen/definitions.ts";
import { headerOf, offerReader, readResponse, receiveRequest, sendBody, sendRequest } from "./http.ts";

type Awaitable<T> = T | Promise<T>;

/** What of the server's API this host has. Errors should be AppErrors. `wire` takes any other method. */
export interface Server {
  configuration(): Awaitable<unknown>;
  registerCommand(command: Command): Awaitable<void>;
  kvSet(key: string, value: Buffer): Awaitable<void>;
  kvGet(key: string): Awaitable<Buffer | undefined>;
  getUser(id: string): Awaitable<UserInput>;
  createPost(post: Post): Awaitable<PostInput>;
  publishWebSocketEvent(
    event: string,
    payload: Map<string, unknown>,
    broadcast: WebsocketBroadcast,
  ): Awaitable<void>;
  logInfo(message: string, pairs: unknown[]): Awaitable<void>;
  /** Another plugin's answer; undefined where there is no such plugin. */
  pluginHTTP(request: Request): Awaitable<Response | undefined>;
  /** The rows of a query. */
  query(query: string, args: unknown[]): Awaitable<Record<string, unknown>[]>;
  wire?: Partial<apiRPCServerReceiver>;
}

export interface PluginOptions extends Pick<ClientConfig, "logger" | "syncStdout" | "syncStderr"> {
  /** Milliseconds until the handshake. Default: 3000, as Mattermost has it. */
  startTimeout?: number;
}

/** Starts a plugin and has it activate (Go: Environment.Activate). */
export async function activate(
  cmd: readonly [string, ...string[]],
  server: Server,
  { startTimeout = 3000, ...options }: PluginOptions = {},
): Promise<Plugin> {
  const checksum = createHash("sha256")
    .update(await readFile(cmd[0]))
    .digest();
  const client = new Client({
    handshakeConfig: handshake,
    plugins: pluginMap,
    cmd,
    startTimeout,
    secureConfig: { checksum, hash: "sha256" },
    ...options,
  });
  try {
    const rpc = await client.dispense("hooks");
    const plugin = new Plugin(client, rpc, rpc.broker, new Set(await rpc.Implemented({})));
    await plugin.onActivate(server);
    return plugin;
  } catch (error) {
    await client.kill();
    throw error;
  }
}

/** An active plugin. A hook that it does not have does nothing, and changes nothing. */
export class Plugin {
  readonly implemented: ReadonlySet<string>;
  readonly client: Client;
  readonly #rpc: hooksRPCServerCaller;
  readonly #broker: MuxBroker;

  constructor(
    client: Client,
    rpc: hooksRPCServerCaller,
    broker: MuxBroker,
    implemented: ReadonlySet<string>,
  ) {
    this.client = client;
    this.implemented = implemented;
    this.#rpc = rpc;
    this.#broker = broker;
  }

  /** Offers the API and the driver, which the plugin dials. */
  async onActivate(server: Server): Promise<void> {
    const options = { registry, optional: true } as const;
    const APIMuxId = this.#broker.serve(apiRPCServer, apiOf(server, this.#broker), options);
    const DriverMuxId = this.#broker.serve(dbRPCServer, driverOf(server), options);
    throwError((await this.#rpc.OnActivate({ APIMuxId, DriverMuxId })).A);
  }

  async onConfigurationChange(): Promise<void> {
    if (this.implemented.has("OnConfigurationChange"))
      throwError((await this.#rpc.OnConfigurationChange({})).A);
  }

  /** The post as the plugin wants it, or why it rejects it. The post given is merged into, as in Go. */
  async messageWillBePosted(context: ContextInput, post: Post): Promise<{ post: Post; rejection: string }> {
    if (!this.implemented.has("MessageWillBePosted")) return { post, rejection: "" };
    const into = { A: post, B: "" };
    const { A, B } = await this.#rpc.MessageWillBePosted({ A: context, B: post }, { into });
    return { post: A ?? post, rejection: B };
  }

  async userHasLoggedIn(context: ContextInput, user: UserInput): Promise<void> {
    if (this.implemented.has("UserHasLoggedIn")) await this.#rpc.UserHasLoggedIn({ A: context, B: user });
  }

  /** @throws AppError */
  async executeCommand(context: ContextInput, args: CommandArgsInput): Promise<CommandResponse | null> {
    const { A, B } = await this.#rpc.ExecuteCommand({ A: context, B: args });
    throwError(B);
    return A;
  }

  /** Resolves when the plugin has sent the status; the body may still be on its way. */
  async serveHTTP(context: ContextInput, request: Request): Promise<Response> {
    if (!this.implemented.has("ServeHTTP")) return new Response("404 page not found\n", { status: 404 });
    const { request: Request, body } = sendRequest(request, this.#broker);
    const reader = readResponse(this.#broker);
    const call = this.#rpc.ServeHTTP({
      Context: context,
      Request,
      RequestBodyStream: body,
      ResponseWriterStream: reader.id,
    });
    call.then(reader.end, reader.fail);
    return await reader.response;
  }

  /** What the plugin made of a file: its information, other content if it has any, and why it is rejected. */
  async fileWillBeUploaded(
    context: ContextInput,
    info: FileInfo,
    file: ByteSource,
  ): Promise<{ info: FileInfo; replacement: Buffer; rejection: string }> {
    const none = Buffer.alloc(0);
    if (!this.implemented.has("FileWillBeUploaded")) return { info, replacement: none, rejection: "" };
    const UploadedFileStream = offerReader(this.#broker, file);
    const ReplacementFileStream = this.#broker.nextId();
    const replacement = this.#broker.accept(ReplacementFileStream).then((stream) => {
      stream.end();
      return collectBytes(stream);
    });
    // Awaited below, unless the call fails first.
    replacement.catch(() => {});
    const { A, B } = await this.#rpc.FileWillBeUploaded(
      { A: context, B: info, UploadedFileStream, ReplacementFileStream },
      { into: { A: info, B: "" } },
    );
    return { info: A ?? info, replacement: await replacement, rejection: B };
  }

  /** Tells the plugin to clean up, then ends its process. */
  async deactivate(): Promise<void> {
    try {
      if (this.implemented.has("OnDeactivate"))
        throwError((await this.#rpc.OnDeactivate({}, { timeout: 10_000 })).A);
    } finally {
      await this.client.kill();
    }
  }
}

/** The API as it is on the wire. Methods that are not here answer as those of an older server. */
function apiOf(server: Server, broker: MuxBroker): Partial<apiRPCServerReceiver> {
  return {
    LoadPluginConfiguration: async () => ({ A: Buffer.from(JSON.stringify(await server.configuration())) }),
    RegisterCommand: ({ A: command }) => errorOf(() => server.registerCommand(command!)),
    KVSet: ({ A: key, B: value }) => appErrorOf("KVSet", () => server.kvSet(key, value)),
    async KVGet({ A: key }) {
      try {
        return { A: (await server.kvGet(key)) ?? null };
      } catch (error) {
        return { B: appErrorValue(error, "KVGet") };
      }
    },
    async GetUser({ A: id }) {
      try {
        return { A: await server.getUser(id) };
      } catch (error) {
        return { B: appErrorValue(error, "GetUser") };
      }
    },
    async CreatePost({ A: post }) {
      try {
        return { A: await server.createPost(post!) };
      } catch (error) {
        return { B: appErrorValue(error, "CreatePost") };
      }
    },
    async PublishWebSocketEvent({ A: event, B: payload, C: broadcast }) {
      await server.publishWebSocketEvent(event, payload, broadcast!);
      return {};
    },
    async LogInfo({ A: message, B: pairs }) {
      await server.logInfo(message, pairs);
      return {};
    },
    async PluginHTTPStream({ Request, RequestBodyStream, ResponseBodyStream }) {
      const output = await broker.dial(ResponseBodyStream);
      const response = await server.pluginHTTP(await receiveRequest(Request!, RequestBodyStream, broker));
      if (response === undefined) {
        output.destroy();
        return {};
      }
      // The answer goes first, the body after it. A plugin that hangs up has no use for the rest.
      sendBody(output, response.body).catch(() => {});
      return { StatusCode: response.status, Header: headerOf(response.headers) };
    },
    ...server.wire,
  };
}

/** A driver that answers queries: the rows of each are kept until they are closed. */
function driverOf(server: Server): Partial<dbRPCServerReceiver> {
  const open = new Map<string, Record<string, unknown>[]>();
  let last = 0;
  return {
    Conn: () => ({ A: `conn${++last}` }),
    ConnClose: () => ({}),
    async ConnQuery({ B: query, C: args }) {
      try {
        const id = `rows${++last}`;
        open.set(
          id,
          await server.query(
            query,
            args.map(({ Value }) => Value),
          ),
        );
        return { A: id };
      } catch (error) {
        return { B: errorValue(error) };
      }
    },
    RowsColumns: (rows) => ({ A: Object.keys(open.get(rows)?.[0] ?? {}) }),
    RowsNext({ A: rows }) {
      const row = open.get(rows)?.shift();
      if (row === undefined) return { A: errorValue(new ErrorString("EOF", ErrorString.EOF)) };
      return { B: Object.values(row) };
    },
    RowsClose(rows) {
      open.delete(rows);
      return {};
    },
  };
}
