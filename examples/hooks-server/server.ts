// The gRPC plugin server of Mattermost's Python SDK, as goplug does it; with what that one lacks: the cookie, a
// controller, so that the host's Kill is a drain, synced output, the broker and AutoMTLS.
import * as protobuf from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import {
  GrpcError,
  type GrpcTransport,
  type Logger,
  pluginLogger,
  protobufPlugin,
  ServeError,
  serve,
} from "goplug";
import { ApiClient } from "./api.ts";
import { type Config, configFromEnvironment } from "./config.ts";
import {
  type ExecuteCommandRequest,
  type MessageWillBePostedRequest,
  type MessageWillBePostedResponseSchema,
  PluginHooks,
} from "./gen/hooks_pb.ts";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "MATTERMOST_PLUGIN",
  magicCookieValue: "Securely message teams, anywhere.",
};

/** What hooks get beside their request. */
export interface HookContext {
  /** Fires when the server no longer waits: it has gone, or the hook has overrun its time. */
  readonly signal: AbortSignal;
  readonly api: ApiClient;
  readonly logger: Logger;
}

type Hook<Request, Answer> = (request: Request, context: HookContext) => Answer | Promise<Answer>;

/** A plugin: the hooks that it has. */
export interface Hooks {
  onActivate?: Hook<object, void>;
  onDeactivate?: Hook<object, void>;
  messageWillBePosted?: Hook<
    MessageWillBePostedRequest,
    protobuf.MessageInitShape<typeof MessageWillBePostedResponseSchema>
  >;
  executeCommand?: Hook<ExecuteCommandRequest, { text: string }>;
}

export interface ServerOptions {
  readonly config?: Config;
  /** Bytes of a message, in and out. Default: 64 MiB. */
  readonly maxMessageBytes?: number;
  /** The port on 127.0.0.1; 0, which is the default, is any free one. */
  readonly port?: number;
  /** Milliseconds that hooks which are running may go on for when the server stops. Default: 5000. */
  readonly grace?: number;
  /** Who speaks HTTP/2 for the server. Default: goplug. */
  readonly transport?: GrpcTransport;
}

/** A plugin's server. SIGTERM and SIGINT stop it, as `stop` does. */
export class PluginServer {
  readonly #hooks: Hooks;
  readonly #options: ServerOptions;
  readonly #config: Config;
  readonly #stop = new AbortController();
  #serving: Promise<void> | undefined;
  #port: number | undefined;

  constructor(hooks: Hooks, options: ServerOptions = {}) {
    this.#hooks = hooks;
    this.#options = options;
    this.#config = options.config ?? configFromEnvironment();
  }

  /** The port that the server listens on; undefined before it does. */
  get port(): number | undefined {
    return this.#port;
  }

  /**
   * Prints the handshake line and serves. Gives the port.
   *
   * @throws ServeError - ERR_SERVE_TWICE: it has been started already
   */
  start(): Promise<number> {
    if (this.#serving !== undefined) {
      throw new ServeError("ERR_SERVE_TWICE", "the plugin's server has been started already");
    }
    const { maxMessageBytes = 64 << 20, port = 0, grace = 5000, transport = "goplug" } = this.#options;
    const { pluginId, logLevel, apiTarget, hookTimeout } = this.#config;
    const logger = pluginLogger({ name: pluginId || "plugin", level: logLevel });
    const api = new ApiClient(apiTarget, hookTimeout);
    return new Promise((resolve, reject) => {
      this.#serving = serve({
        handshakeConfig,
        plugins: { hooks: this.#definition({ api, logger }) },
        logger,
        network: "tcp",
        port,
        onServing: ({ address }) => {
          this.#port = Number(address.slice(address.lastIndexOf(":") + 1));
          logger.info("plugin server started", { address });
          resolve(this.#port);
        },
        stopOnInterrupt: true,
        signal: this.#stop.signal,
        grpcTransport: transport,
        grpcServer: {
          options: {
            "grpc.max_receive_message_length": maxMessageBytes,
            "grpc.max_send_message_length": maxMessageBytes,
          },
          gracePeriod: grace,
        },
        exit: false,
      }).finally(() => api.close());
      this.#serving.catch(reject);
    });
  }

  /** Says NOT_SERVING, refuses new calls, and waits for those that run. May be called more than once. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#serving;
  }

  /** Resolves when the server has stopped, whatever stopped it. */
  async waitForTermination(): Promise<void> {
    await this.#serving;
  }

  #definition(parts: Omit<HookContext, "signal">) {
    const { onActivate, onDeactivate, messageWillBePosted, executeCommand } = this.#hooks;
    const has = (name: keyof Hooks): boolean => this.#hooks[name] !== undefined;
    const names = (["onActivate", "onDeactivate", "messageWillBePosted", "executeCommand"] as const).filter(
      has,
    );
    const timed = <Request, Answer>(name: string, hook: Hook<Request, Answer>) =>
      this.#timed(parts, name, hook);
    return protobufPlugin(PluginHooks, protobuf).implement({
      implemented: () => ({ hooks: names.map((name) => name[0]!.toUpperCase() + name.slice(1)) }),
      ...(onActivate && { onActivate: timed("OnActivate", onActivate) }),
      ...(onDeactivate && { onDeactivate: timed("OnDeactivate", onDeactivate) }),
      ...(messageWillBePosted && { messageWillBePosted: timed("MessageWillBePosted", messageWillBePosted) }),
      ...(executeCommand && { executeCommand: timed("ExecuteCommand", executeCommand) }),
    });
  }

  /** A hook that overruns its time is answered with DEADLINE_EXCEEDED, and told so by its signal. */
  #timed<Request, Answer>(
    parts: Omit<HookContext, "signal">,
    name: string,
    hook: Hook<Request, Answer>,
  ): (request: Request, caller: { signal: AbortSignal }) => Promise<Answer> {
    const limit = this.#config.hookTimeout;
    return async (request, caller) => {
      const late = new AbortController();
      const signal = AbortSignal.any([caller.signal, late.signal]);
      let timer: NodeJS.Timeout | undefined;
      const overrun = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          const error = new GrpcError(status.DEADLINE_EXCEEDED, `hook ${name} took longer than ${limit} ms`);
          late.abort(error);
          reject(error);
        }, limit);
        // A hook that hangs must not keep the process when the server has stopped.
        timer.unref();
      });
      try {
        return await Promise.race([hook(request, { ...parts, signal }), overrun]);
      } finally {
        clearTimeout(timer);
      }
    };
  }
}
