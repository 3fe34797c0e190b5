import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { generateCertificate } from "../../src/tls/certificate.js";
import { connectTls } from "../../src/tls/connect.js";
import { hostTlsOptions } from "../../src/tls/host-options.js";
import { pluginTls } from "../../src/tls/plugin-options.js";
import { listenSecured, type Network, networks, readAll } from "../unit/tls/support.js";
import type { Case, CaseContext } from "./case.js";
import { dialTarget } from "./intruders.js";

const needs = ["tlspeer"];

/** The Go peer, spoken to in lines of JSON. */
class Peer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor({ bin, signal }: CaseContext, args: string[]) {
    this.#child = spawn(bin("tlspeer"), args, { stdio: ["pipe", "pipe", "inherit"], signal });
    this.#child.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  tell(message: object): void {
    this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  async hear<T>(): Promise<T> {
    const line = await this.#lines.next();
    if (line.done) throw new Error("tlspeer ended");
    return JSON.parse(line.value) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.stdin!.end();
    await exit;
  }
}

interface Announcement {
  network: Network;
  address: string;
  serverCert: string;
}

/** Connects as a host to a Go server that has the given properties. */
async function asHost(
  context: CaseContext,
  args: string[],
  run: (connect: () => Promise<string>) => Promise<void>,
) {
  await using peer = new Peer(context, ["server", ...args]);
  const own = await generateCertificate();
  peer.tell({ clientCert: own.certPem });
  const announced = await peer.hear<Announcement>();
  const tls = hostTlsOptions({ own, announced: Buffer.from(announced.serverCert, "base64") });
  assert.ok(tls);
  await run(async () => {
    const socket = await connectTls(dialTarget(announced), { tls, signal: context.signal });
    socket.end("hello from Node");
    const [answer, report] = await Promise.all([
      readAll(socket),
      peer.hear<{ echoed: number; error: string; version: string }>(),
    ]);
    assert.deepEqual(report, {
      echoed: 15,
      error: "",
      version: args.includes("1.2") ? "TLS 1.2" : "TLS 1.3",
    });
    return String(answer);
  });
}

/** Lets a Go client connect as a host to a plugin's socket; resolves with what it saw. */
async function asPlugin(context: CaseContext, network: Network, args: string[], { refusals = 0 } = {}) {
  await using peer = new Peer(context, ["client", ...args]);
  const { clientCert } = await peer.hear<{ clientCert: string }>();
  const tls = await pluginTls({ clientCert: clientCert || (await generateCertificate()).certPem });
  assert.ok(tls?.announce);
  await using listener = await listenSecured(network, tls);
  peer.tell({
    network,
    address: listener.address,
    serverCert: tls.announce.toString("base64").replace(/=+$/, ""),
  });
  const saw = await peer.hear<{ received: string; error: string }>();
  await listener.refusals(refusals);
  return { ...saw, secured: listener.secured.length, refused: listener.refused.map(({ code }) => code) };
}

const versions = ["1.3", "1.2"];

export const cases: Case[] = [
  ...networks.flatMap((network) =>
    versions.flatMap((version): Case[] => [
      {
        name: `ts->go tls ${network} mutual, TLS ${version}, half-close`,
        needs,
        run: (context) =>
          asHost(context, ["-network", network, "-max", version], async (connect) => {
            assert.equal(await connect(), "hello from Node");
            assert.equal(await connect(), "hello from Node");
          }),
      },
      {
        name: `go->ts tls ${network} mutual, TLS ${version}, half-close`,
        needs,
        async run(context) {
          assert.deepEqual(await asPlugin(context, network, ["-max", version]), {
            received: "hello from Go",
            error: "",
            secured: 1,
            refused: [],
          });
        },
      },
    ]),
  ),
  ...["expired", "other-name", "other", "child"].map(
    (kind): Case => ({
      name: `ts->go tls refuses a server certificate: ${kind}`,
      needs,
      run: (context) =>
        asHost(context, ["-cert", kind], async (connect) => {
          await assert.rejects(connect(), { name: "TlsError", code: "ERR_TLS_PEER" });
        }),
    }),
  ),
  ...["expired", "other", "child", "none"].map(
    (kind): Case => ({
      name: `go->ts tls refuses a client certificate: ${kind}`,
      needs,
      async run(context) {
        // Go's client may see an alert, a reset or a mere end; what counts is that it got nothing.
        const { received, secured, refused } = await asPlugin(context, "unix", ["-cert", kind], {
          refusals: 1,
        });
        assert.equal(received, "");
        assert.equal(secured, 0);
        assert.deepEqual(refused, ["ERR_TLS_PEER"]);
      },
    }),
  ),
  {
    name: "ts->go tls a Go server refuses another host's certificate",
    needs,
    async run(context) {
      await using peer = new Peer(context, ["server"]);
      peer.tell({ clientCert: (await generateCertificate()).certPem });
      const announced = await peer.hear<Announcement>();
      const tls = hostTlsOptions({
        own: await generateCertificate(),
        announced: Buffer.from(announced.serverCert, "base64"),
      });
      const socket = await connectTls(dialTarget(announced), { tls: tls!, signal: context.signal });
      await assert.rejects(readAll(socket), /alert/);
      assert.match((await peer.hear<{ refused: string }>()).refused, /x509|verify/);
    },
  },
  {
    name: "go->ts tls refuses TLS 1.1",
    needs,
    async run(context) {
      const { secured, refused, error } = await asPlugin(context, "unix", ["-max", "1.1"], { refusals: 1 });
      assert.notEqual(error, "");
      assert.equal(secured, 0);
      assert.deepEqual(refused, ["ERR_TLS_HANDSHAKE"]);
    },
  },
];
