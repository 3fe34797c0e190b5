/** What a function of the plugin answered instead of a result. */
export class PluginError extends Error {
  override readonly name = "PluginError";
}

/** What the host's API answered instead of a result (Go: HostError). */
export class HostError extends Error {
  override readonly name: string = "HostError";

  /** Knows an {@link UnknownMethodError} by its text, which is all that travels. */
  static of(text: string): HostError {
    return text.startsWith(unknownMethod)
      ? new UnknownMethodError(text.slice(unknownMethod.length))
      : new HostError(text);
  }
}

const unknownMethod = "unknown host API method: ";

/** The host has no such method (Go: UnknownMethodError). */
export class UnknownMethodError extends HostError {
  override readonly name = "UnknownMethodError";
  readonly method: string;

  constructor(method: string) {
    super(unknownMethod + method);
    this.method = method;
  }
}
