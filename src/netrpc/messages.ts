import { thrownText } from "../errors.js";
import { GobError, rawString, string, struct, uint } from "../gob/index.js";

/** net/rpc's Request header (Go: net/rpc/server.go). `Seq` counts from 0, so the first one's is omitted on the wire. */
export const request = struct({ ServiceMethod: string, Seq: uint }, { name: "Request" });

/**
 * net/rpc's Response header. A nonempty `Error` is followed by an empty struct in the reply's place. It is text as a
 * rule, but Go sends any bytes: see {@link errorBytes} and {@link errorText}.
 */
export const response = struct({ ServiceMethod: string, Seq: uint, Error: rawString }, { name: "Response" });

/** A Response header as its receiver wants it: the method is known by its `Seq`, whatever name comes back. */
export const receivedResponse = struct({ Seq: uint, Error: rawString }, { name: "Response" });

/** An error's text for the wire. Lone surrogates, which UTF-8 cannot hold, become U+FFFD. */
export function errorBytes(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

/** The text of an error that came. Bytes that are not UTF-8 become U+FFFD. */
export function errorText(bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** What a caller is answered for an error; never empty, which would be success on the wire. */
export function answerText(error: unknown): string {
  // Peers in Go know gob's own words; the path and offset behind them are for this side's log.
  if (error instanceof GobError) return error.goText;
  // An error without a text gets its class's name.
  return thrownText(error);
}

/** Whether an answer says that there is no such method (Go: net/rpc/server.go, readRequestHeader). */
export function isMissing(text: string): boolean {
  return /^rpc: (can't find (service|method)|service\/method request ill-formed)/.test(text);
}
