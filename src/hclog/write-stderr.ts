const ignore = (): void => {};

/** Streams that have failed once: nobody reads them any more, and nobody will. */
const broken = new WeakSet<object>();

/**
 * Writes to process.stderr, whatever has become of it: when nobody reads it any more (a closed terminal, `2>&1 | head`)
 * the text is lost, and nothing else happens. An 'error' that nobody listens to would end the process. Until a write
 * has failed there is a listener only while something is written: errors of the user's own writes stay theirs.
 */
export function writeStderr(text: string): void {
  const { stderr } = process;
  const onFailure = (): void => {
    if (broken.has(stderr)) return;
    broken.add(stderr);
    // Others may listen, too, and yet not count: what is piped into the stream lets go of it, and emits the error anew.
    stderr.on("error", ignore);
  };
  // Terminals and files fail at once, pipes and sockets later: before the error is emitted the callback is told.
  stderr.once("error", ignore);
  try {
    stderr.write(text, (error) => {
      if (error) onFailure();
    });
  } catch {
    // What a stream throws that somebody has put into the place of process.stderr.
  } finally {
    stderr.off("error", ignore);
  }
}
