// gRPC's interoperability suite with Python's grpcio on the other side, in both directions. Each case runs over goplug's
// transport and over grpc-js's.
//
// Of the suite's cases (github.com/grpc/grpc: doc/interop-test-descriptions.md) these are left out:
// - client_compressed_unary, client_compressed_streaming, server_compressed_unary, server_compressed_streaming: they want
//   to be told whether a message came compressed, which neither grpcio nor grpc-js tells; the cases `compressed with ...`
//   count the bytes on the wire instead;
// - cacheable_unary: GET is for proxies, and grpcio has dropped it;
// - compute_engine_creds, jwt_token_creds, oauth2_auth_token, per_rpc_creds, google_default_credentials: they call Google;
// - orca_per_rpc, orca_oob, pick_first_unary and other load balancing: a plugin is one server at one address.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { compressionAlgorithms } from "@grpc/grpc-js";
import { connectGrpc, type GrpcConnection, type GrpcTransport } from "../../src/grpc/connection.js";
import type { Case, CaseContext } from "./case.js";
import { p256Certificate } from "./suite/certificate.js";
import { compressed, suite } from "./suite/client.js";
import {
  countBytes,
  ended,
  type Security,
  securities,
  suiteTests,
  transports,
  withCertificate,
} from "./suite/peers.js";
import { serveSuite } from "./suite/service.js";

const needs = ["python"];
const script = (name: string): string =>
  fileURLToPath(new URL(`../../go-fixtures/python/${name}`, import.meta.url));

type Encoding = "gzip" | "deflate";

/** Bytes that the suite's large messages, all zeros, do not need when they are compressed. */
const COMPRESSED: Readonly<Record<GrpcTransport, number>> = {
  goplug: 60_000,
  // It does not understand grpcio's list of encodings, and compresses the first call alone.
  "grpc-js": 200_000,
};

/** Runs `test` for both transports. */
async function forEachTransport(test: (transport: GrpcTransport) => Promise<void>): Promise<void> {
  for (const [transport] of transports) {
    try {
      await test(transport);
    } catch (error) {
      throw new Error(`over ${transport}'s transport`, { cause: error });
    }
  }
}

interface PythonServer {
  readonly port: number;
  /** Options for a TLS connection to it. */
  readonly tls: { ca: string; servername: string } | undefined;
}

async function withPythonServer(
  { bin, signal }: CaseContext,
  security: Security,
  args: readonly string[],
  use: (server: PythonServer) => Promise<void>,
): Promise<void> {
  await withCertificate(async (certificate, files) => {
    const tls = security.tls ? ["--tls", files.cert, files.key] : [];
    const server = spawn(bin("python"), [script("suite_server.py"), ...tls, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    try {
      const [line] = (await once(server.stdout, "data", { signal })) as [Buffer];
      await use({
        port: Number(line.toString()),
        tls: security.tls ? { ca: certificate.certPem, servername: "localhost" } : undefined,
      });
    } finally {
      server.kill("SIGKILL");
      await ended(server);
    }
  }, p256Certificate);
}

/** goplug's client on grpcio's server. */
function onPythonServer(test: (connection: GrpcConnection) => Promise<void>, security: Security) {
  return (context: CaseContext): Promise<void> =>
    withPythonServer(context, security, [], ({ port, tls }) =>
      forEachTransport(async (transport) => {
        await using connection = await connectGrpc(
          { network: "tcp", address: `127.0.0.1:${port}` },
          { transport, signal: context.signal, ...(tls && { tls }) },
        );
        await test(connection);
      }),
    );
}

/** The same with all messages compressed, in both directions. */
function compressedOnPythonServer(encoding: Encoding) {
  const options = { "grpc.default_compression_algorithm": compressionAlgorithms[encoding] };
  return (context: CaseContext): Promise<void> =>
    withPythonServer(context, securities[0]!, ["--compression", encoding], ({ port }) =>
      forEachTransport(async (transport) => {
        await using proxy = await countBytes(port);
        await using connection = await connectGrpc(
          { network: "tcp", address: `127.0.0.1:${proxy.port}` },
          { transport, options, signal: context.signal },
        );
        await compressed(connection);
        const { up, down } = proxy.counts;
        assert.ok(up > 0 && up < COMPRESSED[transport], `${up} bytes sent`);
        assert.ok(down > 0 && down < COMPRESSED[transport], `${down} bytes received`);
      }),
    );
}

async function runPythonClient(
  { bin, signal }: CaseContext,
  test: string,
  port: number,
  args: readonly string[],
): Promise<void> {
  const client = spawn(bin("python"), [script("suite_client.py"), test, String(port), ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const onAbort = (): void => void client.kill("SIGKILL");
  signal.addEventListener("abort", onAbort, { once: true });
  let said = "";
  client.stderr.on("data", (chunk) => {
    said += chunk;
  });
  await ended(client);
  signal.removeEventListener("abort", onAbort);
  if (client.exitCode !== 0) throw new Error(`grpcio's client failed: ${said.slice(-2000)}`);
}

/** grpcio's client on goplug's server. */
function onOwnServer(test: string, security: Security) {
  return (context: CaseContext): Promise<void> =>
    withCertificate(
      ({ certPem, keyPem }, files) =>
        forEachTransport(async (transport) => {
          const plugin = security.tls ? { options: { cert: certPem, key: keyPem } } : undefined;
          await using server = await serveSuite(transport, plugin);
          await runPythonClient(context, test, server.port, security.tls ? ["--ca", files.cert] : []);
        }),
      p256Certificate,
    );
}

/** With compressed requests; goplug's servers, like grpc-js's, answer without compression. */
function compressedOnOwnServer(encoding: Encoding) {
  return (context: CaseContext): Promise<void> =>
    forEachTransport(async (transport) => {
      await using server = await serveSuite(transport, undefined);
      await using proxy = await countBytes(server.port);
      for (const test of ["large_unary", "client_streaming", "ping_pong"]) {
        await runPythonClient(context, test, proxy.port, ["--compression", encoding]);
      }
      const { up } = proxy.counts;
      assert.ok(up > 0 && up < COMPRESSED[transport], `${up} bytes sent`);
    });
}

/** The cases of suite_client.py. */
const pythonTests = [...suiteTests, "concurrent_large_unary"];

const encodings: readonly Encoding[] = ["gzip", "deflate"];

export const cases: Case[] = [
  ...securities.flatMap((security) => [
    ...Object.entries(suite).map(([name, test]) => ({
      name: `ts->python grpc suite ${name}${security.name}`,
      needs,
      run: onPythonServer(test, security),
    })),
    ...pythonTests.map((name) => ({
      name: `python->ts grpc suite ${name}${security.name}`,
      needs,
      run: onOwnServer(name, security),
    })),
  ]),
  ...encodings.flatMap((encoding) => [
    {
      name: `ts->python grpc suite compressed with ${encoding}`,
      needs,
      run: compressedOnPythonServer(encoding),
    },
    {
      name: `python->ts grpc suite compressed with ${encoding}`,
      needs,
      run: compressedOnOwnServer(encoding),
    },
  ]),
];
