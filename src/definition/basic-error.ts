import { GoplugError, thrownText } from "../errors.js";
import { pointer, registry, string, struct } from "../gob/index.js";

/**
 * An error that travels as a value inside a reply, not as the call's own error (go-plugin: BasicError). It has the
 * wire's field `Message`, so that an instance can be given wherever {@link basicError} is the schema.
 */
export class BasicError extends GoplugError {
  override readonly name = "BasicError";

  constructor(message: string) {
    super("ERR_BASIC", message);
  }

  /** The wire's field. */
  get Message(): string {
    return this.message;
  }

  /** The error of a decoded value; null for a nil one. */
  static of(value: { readonly Message: string } | null): BasicError | null {
    return value === null ? null : new BasicError(value.Message);
  }

  /** The wire form of any error. */
  static from(error: unknown): BasicError {
    return new BasicError(thrownText(error));
  }
}

/** Go's `*plugin.BasicError`: null, or an object with `Message`. */
export const basicError = pointer(
  struct({ Message: string }, { name: "github.com/hashicorp/go-plugin.BasicError" }),
);

// As go-plugin's users do in Go (gob.Register(&plugin.BasicError{})), so that it can travel in an `error`.
registry.register(basicError, "*plugin.BasicError");
