// What the cases of gRPC's interoperability suite need of their peers, whatever these are written in.
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import type { GrpcTransport } from "../../../src/grpc/connection.js";
import { type Certificate, generateCertificate } from "../../../src/tls/certificate.js";
import { byGrpcJs } from "../both-transports.js";

export interface Security {
  readonly name: string;
  readonly tls: boolean;
}

export const securities: readonly Security[] = [
  { name: "", tls: false },
  { name: " over TLS", tls: true },
];

/** With what to add to a case's name. */
export const transports: readonly (readonly [GrpcTransport, string])[] = [
  ["goplug", ""],
  ["grpc-js", byGrpcJs],
];

/** What the clients of all languages can ask of any server. */
export const suiteTests = [
  "empty_unary",
  "large_unary",
  "client_streaming",
  "server_streaming",
  "ping_pong",
  "empty_stream",
  "timeout_on_sleeping_server",
  "cancel_after_begin",
  "cancel_after_first_response",
  "status_code_and_message",
  "special_status_message",
  "custom_metadata",
  "unimplemented_method",
  "unimplemented_service",
  "rpc_soak",
  "channel_soak",
];

/** Runs `use` with a certificate for localhost, as it is and in files. */
export async function withCertificate(
  use: (certificate: Certificate, files: { cert: string; key: string }) => Promise<void>,
  make: () => Promise<Certificate> = generateCertificate,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "suite"));
  try {
    const certificate = await make();
    const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
    await writeFile(files.cert, certificate.certPem);
    await writeFile(files.key, certificate.keyPem);
    await use(certificate, files);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export function ended(child: ChildProcess): Promise<void> {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", () => resolve()));
}

export interface CountingProxy extends AsyncDisposable {
  readonly port: number;
  /** Bytes that clients and the server have sent so far. */
  readonly counts: { up: number; down: number };
}

/** Passes connections on to a port of this machine, and counts what goes over them. */
export async function countBytes(target: number): Promise<CountingProxy> {
  const counts = { up: 0, down: 0 };
  const listener = createServer((client) => {
    const server = connect(target, "127.0.0.1");
    client.on("data", ({ length }) => {
      counts.up += length;
    });
    server.on("data", ({ length }) => {
      counts.down += length;
    });
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    pipeline(client, server, end);
    pipeline(server, client, end);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    counts,
    [Symbol.asyncDispose]: () => new Promise((resolve) => listener.close(() => resolve())),
  };
}
