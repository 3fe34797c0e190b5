// Whole plugins over TLS, in both directions: AutoMTLS, configurations of the user's own, and intruders meanwhile.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ClientConfig } from "../../src/index.js";
import { type Certificate, generateCertificate } from "../../src/tls/certificate.js";
import { pluginCommand } from "./build-plugins.js";
import type { Case, CaseContext } from "./case.js";
import { assertAnybodyGetsIn, assertNobodyElseGetsIn } from "./intruders.js";
import { greeter, withClient } from "./support.js";

type Command = [string, ...string[]];
type Config = Omit<ClientConfig<{ greeter: typeof greeter }>, "handshakeConfig">;

const peers: Record<string, { needs: string[]; command(context: CaseContext): Promise<Command> }> = {
  go: { needs: ["greeter-tls"], command: async ({ bin }) => [bin("greeter-tls")] },
  ts: { needs: [], command: () => pluginCommand("tls") },
};

/** A certificate as the files that the fixtures read. */
interface Files extends Certificate {
  cert: string;
  key: string;
}

async function withFiles(use: (server: Files, client: Files) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "goplug-tls-"));
  const write = async (name: string): Promise<Files> => {
    const made = await generateCertificate();
    const [cert, key] = [join(dir, `${name}.pem`), join(dir, `${name}.key`)];
    await Promise.all([writeFile(cert, made.certPem), writeFile(key, made.keyPem)]);
    return { ...made, cert, key };
  };
  try {
    await use(await write("server"), await write("client"));
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Greets, lets intruders try, and greets again. */
function greetAmongIntruders(config: Config, greeting = "Hello from version 1!"): Promise<void> {
  return withClient(config, async (client) => {
    const face = await client.dispense("greeter");
    assert.equal(await face.Greet(null), greeting);
    assert.ok(client.address);
    await assertNobodyElseGetsIn(client.address);
    assert.equal(await face.Greet(null), greeting);
    await client.ping();
  });
}

function tsHostCases(peer: string): Case[] {
  const { needs, command } = peers[peer]!;
  const pair = `ts->${peer} netrpc`;
  const cmd = async (context: CaseContext, env: Record<string, string>, ...args: string[]) => {
    const [path, ...rest] = await command(context);
    return { cmd: { path, args: [...rest, ...args], env }, plugins: { greeter } };
  };
  return [
    {
      name: `${pair} AutoMTLS unix, with intruders (TestClient_mtlsNetRPCClient)`,
      needs,
      run: async (context) => greetAmongIntruders({ ...(await cmd(context, {})), autoMTLS: true }),
    },
    ...(peer === "ts"
      ? [
          {
            name: `${pair} AutoMTLS tcp, with intruders`,
            needs,
            run: async (context: CaseContext) =>
              greetAmongIntruders({ ...(await cmd(context, {}, "--tcp")), autoMTLS: true }),
          },
        ]
      : []),
    {
      name: `${pair} AutoMTLS with negotiated versions`,
      needs,
      async run(context) {
        const { cmd: to } = await cmd(context, { GOPLUG_VERSIONS: "2,3,5" });
        const versionedPlugins = { 1: { greeter }, 3: { greeter }, 4: { greeter } };
        await withClient({ cmd: to, versionedPlugins, autoMTLS: true }, async (client) => {
          assert.equal(await (await client.dispense("greeter")).Greet(null), "Hello from version 3!");
          assert.equal(client.negotiatedVersion, 3);
          await assertNobodyElseGetsIn(client.address!);
        });
      },
    },
    {
      name: `${pair} without TLS anybody gets in`,
      needs,
      run: async (context) =>
        withClient(await cmd(context, {}), async (client) => {
          await client.dispense("greeter");
          await assertAnybodyGetsIn(client.address!);
        }),
    },
    {
      name: `${pair} the user's TLS, the server's certificate alone (TestClient_TLS)`,
      needs,
      run: (context) =>
        withFiles(async (server) => {
          const config = await cmd(context, { GOPLUG_TLS_CERT: server.cert, GOPLUG_TLS_KEY: server.key });
          await withClient({ ...config, tlsConfig: { ca: server.certPem } }, async (client) => {
            assert.equal(await (await client.dispense("greeter")).Greet(null), "Hello from version 1!");
          });
        }),
    },
    {
      name: `${pair} the user's TLS, both certificates, with intruders`,
      needs,
      run: (context) =>
        withFiles(async (server, client) => {
          const config = await cmd(context, mutual(server, client));
          const tlsConfig = { ca: server.certPem, cert: client.certPem, key: client.keyPem };
          await greetAmongIntruders({ ...config, tlsConfig });
        }),
    },
    {
      name: `${pair} the user's TLS, a server that it does not trust (TestClient_TLS)`,
      needs,
      run: (context) =>
        withFiles(async (server, other) => {
          const config = await cmd(context, { GOPLUG_TLS_CERT: server.cert, GOPLUG_TLS_KEY: server.key });
          for (const tlsConfig of [{ ca: other.certPem }, {}]) {
            await withClient({ ...config, tlsConfig }, async (client) => {
              await assert.rejects(client.dispense("greeter"), /certificate/);
            });
          }
        }),
    },
    {
      name: `${pair} AutoMTLS with a plugin that has a TLS of its own`,
      needs,
      run: (context) =>
        withFiles(async (server) => {
          const config = await cmd(context, { GOPLUG_TLS_CERT: server.cert, GOPLUG_TLS_KEY: server.key });
          await withClient({ ...config, autoMTLS: true }, async (client) => {
            await assert.rejects(client.dispense("greeter"), /announced no certificate/);
          });
        }),
    },
    {
      name: `${pair} no TLS with a plugin that wants it`,
      needs,
      run: (context) =>
        withFiles(async (server) => {
          const config = await cmd(context, { GOPLUG_TLS_CERT: server.cert, GOPLUG_TLS_KEY: server.key });
          await withClient(config, async (client) => {
            await assert.rejects(client.dispense("greeter"));
          });
        }),
    },
  ];
}

function mutual(server: Files, client: Files): Record<string, string> {
  return { GOPLUG_TLS_CERT: server.cert, GOPLUG_TLS_KEY: server.key, GOPLUG_TLS_CLIENT_CA: client.cert };
}

/** Runs the Go host on the TypeScript plugin; `meanwhile` runs while the two are connected. */
async function runGoHost(
  { bin, signal }: CaseContext,
  settings: { flags?: string[]; env?: Record<string, string>; args?: string[]; greeting?: string },
  meanwhile: (seen: { network: string; address: string; version: number }) => Promise<void>,
): Promise<void> {
  const { flags = [], env = {}, args = [], greeting = "Hello from version 1!" } = settings;
  const child = spawn(bin("host-tls"), [...flags, "--", ...(await pluginCommand("tls", ...args))], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
    signal,
  });
  child.on("error", () => {});
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hear = async () => {
    const { value, done } = await lines.next();
    if (done) assert.fail(`host-tls ended: ${log}`);
    return JSON.parse(value) as { network: string; address: string; version: number; greeting?: string };
  };
  try {
    const seen = await hear();
    assert.equal(seen.greeting, greeting, `${JSON.stringify(seen)} ${log}`);
    await meanwhile(seen);
    child.stdin.write("go on\n");
    assert.equal((await hear()).greeting, greeting);
  } finally {
    child.stdin.end();
    await exited;
  }
  assert.equal(child.exitCode, 0, log);
}

const goHostCases: Case[] = [
  ...[[], ["--tcp"]].map(
    (args): Case => ({
      name: `go->ts netrpc AutoMTLS ${args.length > 0 ? "tcp" : "unix"}, with intruders`,
      needs: ["host-tls"],
      run: (context) =>
        runGoHost(context, { args }, async (seen) => {
          assert.equal(seen.network, args.length > 0 ? "tcp" : "unix");
          await assertNobodyElseGetsIn(seen);
        }),
    }),
  ),
  {
    name: "go->ts netrpc AutoMTLS with negotiated versions",
    needs: ["host-tls"],
    run: (context) =>
      runGoHost(
        context,
        {
          flags: ["-versions", "1,3,4"],
          env: { GOPLUG_VERSIONS: "2,3,5" },
          greeting: "Hello from version 3!",
        },
        async (seen) => {
          assert.equal(seen.version, 3);
          await assertNobodyElseGetsIn(seen);
        },
      ),
  },
  {
    name: "go->ts netrpc the user's TLS, the server's certificate alone",
    needs: ["host-tls"],
    run: (context) =>
      withFiles((server) =>
        runGoHost(
          context,
          { flags: ["-ca", server.cert], env: { GOPLUG_TLS_CERT: server.cert, GOPLUG_TLS_KEY: server.key } },
          async () => {},
        ),
      ),
  },
  {
    name: "go->ts netrpc the user's TLS, both certificates, with intruders",
    needs: ["host-tls"],
    run: (context) =>
      withFiles((server, client) =>
        runGoHost(
          context,
          {
            flags: ["-ca", server.cert, "-cert", client.cert, "-key", client.key],
            env: mutual(server, client),
          },
          assertNobodyElseGetsIn,
        ),
      ),
  },
];

export const cases: Case[] = [
  ...tsHostCases("go"),
  ...tsHostCases("ts"),
  ...goHostCases,
  {
    name: "ts->go-legacy netrpc AutoMTLS is refused by a host whose plugin is too old for it",
    needs: ["legacy-v0-plugin"],
    run: ({ bin }) =>
      withClient({ cmd: [bin("legacy-v0-plugin")], plugins: { greeter }, autoMTLS: true }, async (client) => {
        await assert.rejects(client.dispense("greeter"), /announced no certificate/);
      }),
  },
];
