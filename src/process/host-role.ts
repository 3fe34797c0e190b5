let whenHost: (() => void) | undefined;

/** Has something done when this process turns out to be a host; the last one asked for counts. */
export function onHostRole(callback: (() => void) | undefined): void {
  whenHost = callback;
}

/** This process starts a plugin of its own, or attaches to one. */
export function takeHostRole(): void {
  const callback = whenHost;
  whenHost = undefined;
  callback?.();
}
