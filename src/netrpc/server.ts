import type { Duplex } from "node:stream";
import { badOption, OptionError } from "../errors.js";
import { abortSignal, checkOptions } from "../options.js";
import { asByteChannel, type ByteChannel } from "./channel.js";
import { gobOptions } from "./codec-options.js";
import {
  checkMethods,
  isImplementation,
  type MethodTable,
  type OptionalMethods,
  type PartialReceiver,
} from "./methods.js";
import { ServerConnection } from "./server-connection.js";
import { type Method, type RpcServerOptions, unansweredLimit } from "./server-options.js";

/** How one connection is served. */
export interface ServeOptions {
  /** When it fires: no more requests are read, running calls are answered, then the connection is closed. */
  signal?: AbortSignal | undefined;
}

/** What the implementation of a service may lack. */
export interface RegisterOptions<T extends MethodTable, O extends OptionalMethods<T>> {
  /** The methods that the implementation may lack: `true` for all, or their names. Default: none. */
  readonly optional?: O | undefined;
}

/**
 * A net/rpc server (Go: net/rpc/server.go): services by name, each with its methods. One server may serve many
 * connections.
 */
export class RpcServer {
  readonly #services = new Map<string, ReadonlyMap<string, Method>>();
  readonly #options: RpcServerOptions;

  /** @throws OptionError */
  constructor(options: RpcServerOptions = {}) {
    // Checked here, where they are given, and not with the first connection.
    checkOptions(options);
    gobOptions(options);
    unansweredLimit(options);
    this.#options = options;
  }

  /**
   * Registers a service: its wire name, method table and implementation. Calls of an optional method that the
   * implementation lacks are answered with Go's `rpc: can't find method Service.Method`.
   *
   * @throws OptionError - the implementation lacks a method that is not optional, or has something else than a
   * function in its place; the service's name is empty or taken
   */
  register<const T extends MethodTable, const O extends OptionalMethods<T> = undefined>(
    service: string,
    methods: T,
    implementation: PartialReceiver<T, O>,
    options: RegisterOptions<T, O> = {},
  ): this {
    checkOptions(options);
    const { optional } = options;
    checkMethods(methods);
    if (!isImplementation(implementation))
      throw badOption("implementation", "an object with the service's methods", implementation);
    if (typeof service !== "string") throw badOption("service", "a text", service);
    if (service === "") throw new OptionError("service", "rpc.Register: no service name");
    if (this.#services.has(service))
      throw new OptionError("service", `rpc: service already defined: ${service}`);
    const table = new Map<string, Method>();
    for (const [name, [arg, reply]] of Object.entries(methods)) {
      const method = (implementation as Record<string, unknown>)[name];
      if (method === undefined && (optional === true || optional?.includes(name))) continue;
      if (typeof method !== "function") {
        const problem = method === undefined ? ` has no method ${name}` : `: ${name} is no function`;
        throw new OptionError(`implementation.${name}`, `rpc.Register: ${service}${problem}`);
      }
      table.set(name, { arg, reply, handle: method.bind(implementation) });
    }
    this.#services.set(service, table);
    return this;
  }

  /** Finds a method, or says with Go's exact text why there is none. */
  find(serviceMethod: string): Method | string {
    const dot = serviceMethod.lastIndexOf(".");
    if (dot < 0) return `rpc: service/method request ill-formed: ${serviceMethod}`;
    const service = this.#services.get(serviceMethod.slice(0, dot));
    if (service === undefined) return `rpc: can't find service ${serviceMethod}`;
    return service.get(serviceMethod.slice(dot + 1)) ?? `rpc: can't find method ${serviceMethod}`;
  }

  /**
   * Serves one connection until its peer hangs up. A half-closed peer is still answered (Go: ServeConn). Resolves
   * when the connection is gone; what went wrong on it is logged, not thrown.
   *
   * @throws OptionError
   */
  async serve(connection: ByteChannel | Duplex, options: ServeOptions = {}): Promise<void> {
    checkOptions(options, { signal: abortSignal });
    return new ServerConnection((name) => this.find(name), asByteChannel(connection), this.#options).run(
      options.signal,
    );
  }
}
