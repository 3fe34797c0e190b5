// Those who find a plugin's socket but are not its host.
import assert from "node:assert/strict";
import { connect as connectRaw } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect } from "node:tls";
import { generateCertificate } from "../../src/tls/certificate.js";
import { readUntilClosed } from "../unit/tls/support.js";

export interface Address {
  network: string;
  address: string;
}

export function dialTarget({ network, address }: Address): { path: string } | { host: string; port: number } {
  if (network === "unix") return { path: address };
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

const hour = 3_600_000;
/** yamux: a ping, which every session answers at once. */
const ping = Buffer.from("000200010000000000000007", "hex");

async function credentials(): Promise<Record<string, ConnectionOptions>> {
  const other = await generateCertificate();
  const expired = await generateCertificate({
    notBefore: new Date(Date.now() - 2 * hour),
    notAfter: new Date(Date.now() - hour),
  });
  return {
    "without a certificate": {},
    "with another self-signed certificate": { cert: other.certPem, key: other.keyPem },
    "with an expired certificate": { cert: expired.certPem, key: expired.keyPem },
  };
}

async function talk(socket: Duplex): Promise<Buffer> {
  const got = readUntilClosed(socket);
  socket.write(ping);
  return got;
}

/** Tries every way in; rejects if any of them is answered by more than TLS itself. */
export async function assertNobodyElseGetsIn(address: Address): Promise<void> {
  const target = dialTarget(address);
  for (const [who, options] of Object.entries(await credentials())) {
    for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const) {
      const got = await talk(connect({ ...target, ...options, maxVersion, rejectUnauthorized: false }));
      assert.equal(got.length, 0, `one ${who} (${maxVersion}) was answered: ${got.toString("hex")}`);
    }
  }
  const got = await talk(connectRaw(target));
  assert.ok(
    got.length <= 7 && !got.includes(ping.subarray(0, 2)),
    `one without TLS got ${got.toString("hex")}`,
  );
}

/** For a comparison: a plugin without TLS answers whoever comes. */
export async function assertAnybodyGetsIn(address: Address): Promise<void> {
  const socket = connectRaw(dialTarget(address));
  socket.write(ping);
  const [answer] = (await new Promise((resolve, reject) => {
    socket.once("data", (chunk: Buffer) => resolve([chunk]));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed")));
  })) as [Buffer];
  socket.destroy();
  assert.equal(answer.subarray(0, 4).toString("hex"), "00020002");
}
