// gRPC's interoperability suite with grpc-go on the other side: its client on goplug's server, goplug's on its server.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { compressionAlgorithms } from "@grpc/grpc-js";
import { connectGrpc, type GrpcConnection, type GrpcTransport } from "../../src/grpc/connection.js";
import type { Case, CaseContext } from "./case.js";
import { compressed, largeFields, suite } from "./suite/client.js";
import { ended, type Security, securities, suiteTests, transports, withCertificate } from "./suite/peers.js";
import { serveSuite } from "./suite/service.js";

/** goplug's client on grpc-go's server. */
function onGoServer(
  test: (connection: GrpcConnection) => Promise<void>,
  transport: GrpcTransport,
  security: Security,
  options: Record<string, number> = {},
) {
  return async ({ bin, signal }: CaseContext): Promise<void> => {
    await withCertificate(async (certificate, files) => {
      const tls = security.tls ? ["-cert", files.cert, "-key", files.key] : [];
      const server = spawn(bin("suiteserver"), tls, { stdio: ["ignore", "pipe", "inherit"] });
      try {
        const [line] = (await once(server.stdout!, "data", { signal })) as [Buffer];
        const port = Number(line.toString());
        await using connection = await connectGrpc(
          { network: "tcp", address: `127.0.0.1:${port}` },
          {
            transport,
            options,
            signal,
            ...(security.tls && { tls: { ca: certificate.certPem, servername: "localhost" } }),
          },
        );
        await test(connection);
      } finally {
        server.kill("SIGKILL");
        await ended(server);
      }
    });
  };
}

/** grpc-go's client on goplug's server. */
function onOwnServer(test: string, transport: GrpcTransport, security: Security) {
  return async ({ bin, signal }: CaseContext): Promise<void> => {
    await withCertificate(async ({ certPem, keyPem }, files) => {
      const plugin = security.tls ? { options: { cert: certPem, key: keyPem } } : undefined;
      await using server = await serveSuite(transport, plugin);
      const tls = security.tls
        ? ["-use_tls", "-use_test_ca", "-ca_file", files.cert, "-server_host_override", "localhost"]
        : [];
      const args = [
        "-server_host",
        "127.0.0.1",
        "-server_port",
        String(server.port),
        "-test_case",
        test,
        ...tls,
      ];
      let said = "";
      for (let run = 0; run < 3; run++) {
        const { code, text } = await goClient(bin("grpc-interop-client"), args, signal);
        if (code === 0) return;
        said = text;
        // Go's client cancels, and ends its request: where it stands still between the two, a server may have answered
        // before it looks whether it was cancelled. Such a run tells nothing.
        if (!(test === "cancel_after_begin" && text.includes("got error code 0, want 1"))) break;
      }
      throw new Error(`grpc-go's client failed: ${said.slice(-2000)}`);
    });
  };
}

async function goClient(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number | null; text: string }> {
  const client = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const onAbort = (): void => void client.kill("SIGKILL");
  signal.addEventListener("abort", onAbort, { once: true });
  let text = "";
  client.stderr!.on("data", (chunk) => {
    text += chunk;
  });
  await ended(client);
  signal.removeEventListener("abort", onAbort);
  return { code: client.exitCode, text };
}

/** grpc-go's client with large fields: as with grpc-go's server up to its limits, and better beyond them. */
async function largeFieldsFromGo({ bin, signal }: CaseContext): Promise<void> {
  await using server = await serveSuite("goplug", undefined);
  const { stdout } = await promisify(execFile)(bin("largefields"), [String(server.port)], { signal });
  const go = spawn(bin("suiteserver"), [], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(go.stdout, "data", { signal })) as [Buffer];
    const port = String(Number(line.toString()));
    const { stdout: beside } = await promisify(execFile)(bin("largefields"), [port], { signal });
    const withinLimits = (text: string): string[] =>
      text.split("\n").filter((case_) => !/ 20 MB| 17 MB/.test(case_));
    assert.deepEqual(withinLimits(stdout), withinLimits(beside));
  } finally {
    go.kill("SIGKILL");
    await ended(go);
  }
  assert.match(stdout, /^a text of 20 MB: .*\bcode 13,/m);
  assert.match(stdout, /^a header of 17 MB: .*\bcode 13,/m);
  assert.doesNotMatch(stdout, /the next call failed/);
}

const gzipped = { "grpc.default_compression_algorithm": compressionAlgorithms.gzip };

export const cases: Case[] = [
  {
    name: "ts->go grpc suite large fields",
    needs: ["suiteserver"],
    run: onGoServer(largeFields, "goplug", securities[0]!),
  },
  {
    name: "go->ts grpc suite large fields",
    needs: ["suiteserver", "largefields"],
    run: largeFieldsFromGo,
  },
  ...securities.flatMap((security) =>
    transports.flatMap(([transport, suffix]) => [
      ...Object.entries(suite).map(([name, test]) => ({
        name: `ts->go grpc suite ${name}${security.name}${suffix}`,
        needs: ["suiteserver"],
        run: onGoServer(test, transport, security),
      })),
      {
        name: `ts->go grpc suite compressed with gzip${security.name}${suffix}`,
        needs: ["suiteserver"],
        run: onGoServer(compressed, transport, security, gzipped),
      },
      ...suiteTests.map((name) => ({
        name: `go->ts grpc suite ${name}${security.name}${suffix}`,
        needs: ["grpc-interop-client"],
        run: onOwnServer(name, transport, security),
      })),
    ]),
  ),
];
