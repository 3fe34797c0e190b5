import { channel, tracingChannel } from "node:diagnostics_channel";
import type {
  BrokerMessage,
  CallTrace,
  ConnectTrace,
  DispenseTrace,
  ExitMessage,
  HandshakeTrace,
  StartTrace,
  StreamMessage,
} from "./diagnostics-contexts.js";
import { printDiagnostics } from "./diagnostics-lines.js";
import type { TraceChannel } from "./trace-channel.js";

function traceChannel<C extends object>(name: string): TraceChannel<C> {
  return tracingChannel(name) as TraceChannel<object> as TraceChannel<C>;
}

/** The channels of node:diagnostics_channel by which programs see what happens; nothing is paid while nobody subscribes. */
export const tracing = {
  start: traceChannel<StartTrace>("goplug:start"),
  handshake: traceChannel<HandshakeTrace>("goplug:handshake"),
  connect: traceChannel<ConnectTrace>("goplug:connect"),
  dispense: traceChannel<DispenseTrace>("goplug:dispense"),
  call: traceChannel<CallTrace>("goplug:call"),
} as const;

const exit = channel("goplug:exit");
const broker = channel("goplug:broker");
const stream = channel("goplug:stream");

export function publishExit(message: ExitMessage): void {
  exit.publish(message);
}

export function publishBroker(message: BrokerMessage): void {
  broker.publish(message);
}

export function publishStream(
  action: StreamMessage["action"],
  id: number,
  counts: Pick<StreamMessage, "sentBytes" | "receivedBytes">,
): void {
  if (!stream.hasSubscribers) return;
  const { sentBytes, receivedBytes } = counts;
  stream.publish({ action, id, sentBytes, receivedBytes } satisfies StreamMessage);
}

/** Whether anybody sees a trace. (Node's own `hasSubscribers` of tracing channels is younger than Node 20.) */
function isObserved<C extends object>(traced: TraceChannel<C>): boolean {
  const { start, end, asyncStart, asyncEnd, error } = traced;
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  );
}

/** Runs work within a trace, if anybody subscribes; the context is made only then. */
export function traced<C extends object, T>(
  by: TraceChannel<C>,
  context: () => C,
  work: () => Promise<T>,
): Promise<T> {
  return isObserved(by) ? by.tracePromise(work, context()) : work();
}

/** Whether anybody sees the traces of calls. */
export function areCallsTraced(): boolean {
  return isObserved(tracing.call);
}

/** What a host counts of its calls to one plugin, since the plugin was started. */
export interface CallCounters {
  /** Calls that were begun. */
  calls: number;
  /** Those of them that have failed, for whatever reason. */
  errors: number;
  /** Those of them that run. */
  inFlight: number;
  /** Bytes of the arguments of the calls that have ended. */
  sentBytes: number;
  /** Bytes of the replies of the calls that have ended. */
  receivedBytes: number;
}

export function newCounters(): CallCounters {
  return { calls: 0, errors: 0, inFlight: 0, sentBytes: 0, receivedBytes: 0 };
}

/** For whom a connection's calls are counted. */
export interface CallObserver {
  /** The executable, or what else names the plugin. */
  readonly plugin: string;
  /** Where the calls are counted. */
  readonly counters: CallCounters;
}

type TracedCall = Pick<CallTrace, "protocol" | "method" | "metadata">;

function traceOf(plugin: string | undefined, what: TracedCall): CallTrace {
  return { plugin, ...what, requestBytes: 0, replyBytes: 0 };
}

/**
 * One call as its observers see it; undefined when there are none. Begun and ended by hand, because not every call is a
 * promise.
 */
export class ObservedCall {
  readonly #counters: CallCounters | undefined;
  /** Where it is traced. */
  readonly #trace: CallTrace | undefined;
  #requestBytes = 0;
  #replyBytes = 0;

  private constructor(counters: CallCounters | undefined, trace: CallTrace | undefined) {
    this.#counters = counters;
    this.#trace = trace;
  }

  static of(observer: CallObserver | undefined, what: TracedCall): ObservedCall | undefined {
    const isTraced = areCallsTraced();
    if (observer === undefined && !isTraced) return undefined;
    return new ObservedCall(observer?.counters, isTraced ? traceOf(observer?.plugin, what) : undefined);
  }

  /** A call that is traced here, and counted elsewhere. */
  static traced(plugin: string | undefined, what: TracedCall): ObservedCall {
    return new ObservedCall(undefined, traceOf(plugin, what));
  }

  /** Begins the call; what `work` starts runs within the stores that are bound to the channel. */
  begin<T>(work: (trace: CallTrace | undefined) => T): T {
    if (this.#counters !== undefined) {
      this.#counters.calls++;
      this.#counters.inFlight++;
    }
    const trace = this.#trace;
    if (trace === undefined) return work(undefined);
    const { start, end } = tracing.call;
    return start.runStores(trace, () => {
      try {
        return work(trace);
      } finally {
        end.publish(trace);
      }
    });
  }

  /** A message of so many bytes goes out. */
  sent(bytes: number): void {
    this.#requestBytes += bytes;
    if (this.#trace !== undefined) this.#trace.requestBytes += bytes;
  }

  /** A message of so many bytes has come. */
  received(bytes: number): void {
    this.#replyBytes += bytes;
    if (this.#trace !== undefined) this.#trace.replyBytes += bytes;
  }

  succeed(): void {
    this.#end(undefined);
  }

  fail(error: unknown): void {
    if (this.#trace !== undefined) this.#trace.error = error;
    this.#end(error);
  }

  #end(error: unknown): void {
    if (this.#counters !== undefined) {
      this.#counters.inFlight--;
      this.#counters.sentBytes += this.#requestBytes;
      this.#counters.receivedBytes += this.#replyBytes;
      if (error !== undefined) this.#counters.errors++;
    }
    const trace = this.#trace;
    if (trace === undefined) return;
    if (error !== undefined) tracing.call.error.publish(trace);
    tracing.call.asyncStart.publish(trace);
    tracing.call.asyncEnd.publish(trace);
  }
}

printDiagnostics({ tracing, exit, broker, stream });
