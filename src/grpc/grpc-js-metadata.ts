import type { Metadata as GrpcJsMetadata } from "@grpc/grpc-js";
import type { HeaderList } from "../http2/index.js";
import type { GrpcJs } from "./load-grpc-js.js";
import { Metadata, type MetadataInit, type MetadataLike } from "./metadata.js";

/** Metadata in grpc-js's class, which its calls insist on. */
export function grpcJsMetadata(
  { Metadata: Theirs }: Pick<GrpcJs, "Metadata">,
  init: MetadataInit | undefined,
): GrpcJsMetadata {
  if (init === undefined) return new Theirs();
  if (init instanceof Theirs) return init;
  const own = Metadata.from(init);
  const metadata = new Theirs(own.getOptions());
  for (const [key, values] of Object.entries(own.toJSON())) {
    for (const value of values) metadata.add(key, value);
  }
  return metadata;
}

/** Metadata as header fields. */
export function fieldsOf(metadata: MetadataLike): HeaderList {
  const fields: HeaderList = [];
  for (const [key, values] of Object.entries(metadata.toJSON())) {
    for (const value of values)
      fields.push(key, typeof value === "string" ? value : value.toString("base64"));
  }
  return fields;
}
