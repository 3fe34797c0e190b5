import type { HeaderList } from "../../http2/index.js";
import { type MetadataLike, type MetadataValue, readFields } from "../metadata.js";

/** goplug's class of metadata, or that of a copy of grpc-js. */
export type MetadataClass<M> = new () => M;

/** What both classes of metadata can do. */
export interface AnyMetadata {
  add(key: string, value: MetadataValue): void;
  remove(key: string): void;
}

/** Fields that the protocol sets, whatever the metadata says. */
const reserved: ReadonlySet<string> = new Set([
  "content-type",
  "te",
  "user-agent",
  "grpc-timeout",
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-status",
  "grpc-message",
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "host",
]);

/** Appends metadata to header fields: one field for each value, binary ones in base64 without padding, as in grpc-go. */
export function appendMetadata(headers: HeaderList, metadata: MetadataLike): void {
  const fields = metadata.toHttp2Headers();
  for (const name in fields) {
    if (reserved.has(name)) continue;
    const value = fields[name];
    if (Array.isArray(value)) for (const each of value) headers.push(name, trimmed(name, each));
    else if (value !== undefined) headers.push(name, trimmed(name, String(value)));
  }
}

function trimmed(name: string, value: string): string {
  return name.endsWith("-bin") ? value.replace(/=+$/, "") : value;
}

/** The metadata that header fields say, in a class that its reader knows. */
export function readMetadata<M extends AnyMetadata>(headers: HeaderList, Metadata: MetadataClass<M>): M {
  const metadata = new Metadata();
  readFields(headers, (key, value) => metadata.add(key, value));
  return metadata;
}
