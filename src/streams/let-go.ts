import type { Readable } from "node:stream";

/** Destroys a stream whose error somebody else is told; without a listener Node would end the process for it. */
export function letGo(stream: Readable, error: unknown): void {
  stream.on("error", () => {}).destroy(error as Error);
}
