/** Where bytes come from: a Readable, a web stream, a generator, or simply bytes. Strings are taken as UTF-8. */
export type ByteSource =
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>
  | Uint8Array
  | string;

/** Nonempty chunks of a source, as buffers. Returning the iterator early lets go of the source. */
export async function* chunksOf(source: ByteSource): AsyncGenerator<Buffer, void, undefined> {
  const chunks = typeof source === "string" || source instanceof Uint8Array ? [source] : source;
  for await (const chunk of chunks) {
    const bytes =
      typeof chunk === "string"
        ? Buffer.from(chunk)
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (bytes.length > 0) yield bytes;
  }
}
