import type { Channel } from "node:diagnostics_channel";

/**
 * What goplug uses of Node's TracingChannel. In a declaration that type itself compiles with some versions of @types/node
 * alone: with version 26 its two parameters have changed places.
 */
export interface TraceChannel<C extends object> {
  readonly start: Channel;
  readonly end: Channel;
  readonly asyncStart: Channel;
  readonly asyncEnd: Channel;
  readonly error: Channel;
  subscribe(subscribers: TraceSubscribers<C>): void;
  unsubscribe(subscribers: TraceSubscribers<C>): unknown;
  tracePromise<T>(work: () => Promise<T>, context: C): Promise<T>;
}

type Told<C> = (context: C) => void;

interface TraceSubscribers<C> {
  start: Told<C>;
  end: Told<C>;
  asyncStart: Told<C>;
  asyncEnd: Told<C & { error?: unknown }>;
  error: Told<C>;
}
