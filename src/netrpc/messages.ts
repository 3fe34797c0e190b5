import { string, struct, uint } from "../gob/index.js";

/** net/rpc's Request header (Go: net/rpc/server.go). `Seq` counts from 0, so the first one's is omitted on the wire. */
export const request = struct({ ServiceMethod: string, Seq: uint }, { name: "Request" });

/** net/rpc's Response header. A nonempty `Error` is followed by an empty struct in the reply's place. */
export const response = struct({ ServiceMethod: string, Seq: uint, Error: string }, { name: "Response" });
