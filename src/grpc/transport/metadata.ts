import type { Metadata } from "@grpc/grpc-js";
import type { HeaderList } from "../../http2/index.js";
import { grpcJs } from "./grpc-js.js";

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
export function appendMetadata(headers: HeaderList, metadata: Metadata): void {
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

/** The metadata that header fields say; what grpc-js does not allow in it is left out. */
export function readMetadata(headers: HeaderList): Metadata {
  const { Metadata } = grpcJs();
  const metadata = new Metadata();
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (name.charCodeAt(0) === 0x3a || name === "grpc-encoding" || name === "grpc-accept-encoding") continue;
    if (name.endsWith("-bin")) {
      for (const part of value.split(",")) metadata.add(name, Buffer.from(part.trim(), "base64"));
    } else if (printable.test(value)) metadata.add(name, value);
  }
  return metadata;
}

const printable = /^[ -~]*$/;
