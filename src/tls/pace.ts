import timers from "node:timers";

/** Handshakes that begin in one turn of the event loop. */
const EACH_TURN = 4;

const waiting: (() => void)[] = [];
let begun = 0;

/**
 * Begins a TLS handshake: at once, or, where this turn of the event loop has begun several, in one of the next, in order.
 * The keys of one take milliseconds of this thread (AutoMTLS's P-521 about five): hundreds together would hold up
 * everything else for seconds, until the limits of what waits behind them have passed.
 *
 * @param begin must not throw
 */
export function beginHandshake(begin: () => void): void {
  if (begun === EACH_TURN) {
    waiting.push(begin);
    return;
  }
  // By the module, not the global, which test environments for browsers replace.
  if (begun === 0) timers.setImmediate(nextTurn);
  begun++;
  begin();
}

function nextTurn(): void {
  begun = 0;
  for (const begin of waiting.splice(0, EACH_TURN)) beginHandshake(begin);
}
