// What all fixture plugins share: the handshake of go-fixtures/shared/handshake, and ways to be told how to behave.

import type { PluginSet } from "../../../src/definition/plugin.js";
import { pluginLogger } from "../../../src/plugin/logger.js";
import { serve } from "../../../src/plugin/serve.js";
import type { ServeConfig } from "../../../src/plugin/serve-config.js";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

/** Serves the set. `--tcp`: on TCP. `--grpc-js`: over grpc-js's own transport. `GOPLUG_FIXTURE=early`: prints before it serves. */
export async function serveFixture(
  plugins: PluginSet,
  further: Pick<ServeConfig, "grpcServer"> = {},
): Promise<void> {
  if (process.env.GOPLUG_FIXTURE === "early") {
    console.log("early stdout");
    console.error("early stderr");
  }
  await serve({
    handshakeConfig,
    plugins,
    logger: pluginLogger({ name: "goplug" }),
    ...further,
    ...(process.argv.includes("--tcp") && { network: "tcp" as const }),
    ...(process.argv.includes("--grpc-js") && { grpcTransport: "grpc-js" as const }),
  });
}

/** The first `length` bytes of the fixtures' pattern: byte i is (i * 31 + 7) & 0xff. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + 7) & 0xff;
  return bytes;
}

/** Writes as a Go plugin does: comes back when the stream has taken everything. */
export function write(stream: NodeJS.WriteStream, chunk: string | Uint8Array): Promise<number> {
  const bytes = typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.length;
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve(bytes)));
  });
}

/** What go-fixtures/shared/disobey calls LastWords: prints before the process ends in mid-call. */
export function lastWords(): void {
  const bytes = Number(process.env.GOPLUG_FIXTURE_LAST_WORDS ?? 0);
  for (let at = 0; at < bytes; at += 65_536) {
    process.stdout.write(pattern(bytes).subarray(at, at + 65_536));
  }
}
