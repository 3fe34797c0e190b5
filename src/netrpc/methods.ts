import { AbortedError, badOption, OptionError } from "../errors.js";
import type { AnySchema, Input, Output } from "../gob/index.js";
import type { RpcClient } from "./client.js";
import { BadReplyError, CallTimeoutError, RemoteError, UnknownMethodError } from "./errors.js";
import { nearMisses } from "./near-misses.js";
import type { CallOptions } from "./pending-call.js";

/** Wire name of each method, with the schemas of its argument and reply. */
export type MethodTable = Readonly<Record<string, readonly [arg: AnySchema, reply: AnySchema]>>;

/** A service as its caller sees it: one function a method. */
export type Caller<T extends MethodTable> = {
  readonly [M in keyof T]: (arg: Input<T[M][0]>, options?: CallOptions) => Promise<Output<T[M][1]>>;
};

/** What a method gets beside its argument. */
export interface CallContext {
  /**
   * Fires while the call runs, when nobody waits for its answer any more: the caller has given up (its `signal` or
   * `timeout`; only callers that are goplug say so), or the connection is gone. What is answered then is dropped.
   */
  readonly signal: AbortSignal;
  /** Fires when the connection that the call came by is gone, long after the call was answered, too. */
  readonly connection: AbortSignal;
  /** `Service.Method`, as the caller wrote it. */
  readonly serviceMethod: string;
}

/** A service as its implementer writes it: one function a method; what it throws goes to the caller as text. */
export type Receiver<T extends MethodTable> = {
  readonly [M in keyof T]: (
    arg: Output<T[M][0]>,
    context: CallContext,
  ) => Input<T[M][1]> | Promise<Input<T[M][1]>>;
};

/** The methods of a table that an implementation may lack: all of them, or those that are named. */
export type OptionalMethods<T extends MethodTable> = true | readonly (keyof T & string)[] | undefined;

/** A {@link Receiver} that may lack the methods that are optional. Calls of such a one are answered as in Go. */
export type PartialReceiver<
  T extends MethodTable,
  O extends OptionalMethods<T>,
> = O extends readonly (infer K)[]
  ? Omit<Receiver<T>, K & string> & Partially<Pick<Receiver<T>, K & keyof T>>
  : true extends O
    ? Partially<Receiver<T>>
    : Receiver<T>;

type Partially<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The names of the methods of a table that a receiver has, its class's and prototypes' among them. */
export function implemented<T extends MethodTable>(methods: T, receiver: object): (keyof T & string)[] {
  if (!isImplementation(receiver)) throw badOption("implementation", "an object with the methods", receiver);
  return Object.keys(methods).filter(
    (name) => typeof (receiver as Record<string, unknown>)[name] === "function",
  );
}

/** A class's static methods are an implementation, too. */
export function isImplementation(value: unknown): boolean {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

/** Checks a method table, for those whose compiler did not. @throws OptionError */
export function checkMethods(methods: unknown): asserts methods is MethodTable {
  if (typeof methods !== "object" || methods === null || Array.isArray(methods)) {
    throw badOption("methods", "an object of [argument, reply] by the methods' wire names", methods);
  }
  for (const [name, pair] of Object.entries(methods)) {
    if (Array.isArray(pair) && pair.length === 2 && pair.every(isSchema)) continue;
    const given = Array.isArray(pair) ? `[${pair.map(describe).join(", ")}]` : describe(pair);
    throw new OptionError(
      `methods.${name}`,
      `methods.${name} must be [argument, reply], two schemas such as [gob.any, gob.string], not ${given}`,
    );
  }
}

/** By its shape: it may come from another copy of this library. */
function isSchema(value: unknown): boolean {
  const { node } = (value ?? {}) as { node?: { kind?: unknown } };
  return typeof node?.kind === "string";
}

function describe(value: unknown): string {
  if (isSchema(value)) return "a schema";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Errors that are one call's alone: no other caller sees the same one. */
const ownErrors = [RemoteError, BadReplyError, CallTimeoutError, AbortedError] as const;

/** Binds a method table to a service name of a connected client. */
export function caller<const T extends MethodTable>(
  client: RpcClient,
  service: string,
  methods: T,
): Caller<T> {
  checkMethods(methods);
  if (typeof (client as RpcClient | undefined)?.expect !== "function")
    throw badOption("client", "an RpcClient", client);
  client.expect(service, Object.keys(methods));
  const bound: Record<string, (arg: unknown, options?: CallOptions) => Promise<unknown>> = Object.create(
    misspelled(service, Object.keys(methods)),
  );
  for (const [name, [argSchema, replySchema]] of Object.entries(methods)) {
    const serviceMethod = `${service}.${name}`;
    bound[name] = async (arg, options) => {
      try {
        return await client.call(serviceMethod, argSchema, arg as never, replySchema, options);
      } catch (error) {
        // Made where bytes arrived, or a timer fired, it shows nothing of the call: here its awaiting callers are known.
        if (ownErrors.some((kind) => error instanceof kind)) Error.captureStackTrace(error as Error);
        throw error;
      }
    };
  }
  return bound as unknown as Caller<T>;
}

/**
 * What a caller inherits from: names that it does not have lead here. For one near to a method's the function is there that
 * says so, for those whose compiler did not; all others are undefined, as ever.
 */
function misspelled(service: string, methods: readonly string[]): object {
  return new Proxy(
    {},
    {
      get(target, name, receiver) {
        // Whatever is awaited is asked for `then`.
        if (typeof name !== "string" || name === "then" || name in target)
          return Reflect.get(target, name, receiver);
        const meant = nearMisses(name, methods);
        if (meant.length === 0) return undefined;
        return () => {
          const full = (method: string): string => `${service}.${method}`;
          throw new UnknownMethodError(full(name), meant.map(full));
        };
      },
    },
  );
}
