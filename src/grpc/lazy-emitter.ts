import { EventEmitter } from "node:events";

/**
 * An EventEmitter that takes no memory until somebody listens. Its constructor does nothing: Node's emitters make their table
 * of listeners at the first one, if it is not there (their prototype has the defaults, for classes of the time before `class`).
 * The table, an object in hash form, is a tenth of what a unary call holds; hardly any call has listeners.
 */
export const LazyEmitter: typeof EventEmitter = Object.assign(function LazyEmitter() {}, {
  prototype: Object.create(EventEmitter.prototype),
}) as unknown as typeof EventEmitter;
