import { badOption } from "../errors.js";
import type { DecoderOptions, EncoderOptions, InvalidUtf8, Registry } from "../gob/index.js";

/** How values travel, for clients and servers alike. */
export interface CodecOptions {
  /** The registry of concrete types for interface values. Default: gob's own. */
  readonly registry?: Registry | undefined;
  /**
   * What becomes of Go strings that are not valid UTF-8, and of JavaScript strings that are not well-formed: `refuse`
   * (the default) fails the call that has one, `escape` keeps every byte as a lone surrogate, both ways.
   */
  readonly invalidUtf8?: InvalidUtf8 | undefined;
}

/** The options of a connection's encoder and decoder. @throws OptionError */
export function gobOptions({ registry, invalidUtf8 }: CodecOptions): EncoderOptions & DecoderOptions {
  if (invalidUtf8 !== undefined && invalidUtf8 !== "refuse" && invalidUtf8 !== "escape")
    throw badOption("invalidUtf8", '"refuse" or "escape"', invalidUtf8);
  return {
    ...(registry !== undefined && { registry }),
    ...(invalidUtf8 !== undefined && { invalidUtf8 }),
  };
}
