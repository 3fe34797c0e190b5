// Has its plugin print, over AutoMTLS, and shows what came as JSON.
import { Writable } from "node:stream";
import { Client, gob, netRpcPlugin, nullLogger } from "goplug";

const printer = netRpcPlugin({ Print: [gob.string, gob.any] });
const got = { stdout: "", stderr: "" };
const into = (name) =>
  new Writable({
    write(chunk, _encoding, done) {
      got[name] += chunk;
      done();
    },
  });
const client = new Client({
  handshakeConfig: { protocolVersion: 1, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" },
  plugins: { printer },
  cmd: process.argv.slice(2),
  autoMTLS: true,
  logger: nullLogger,
  syncStdout: into("stdout"),
  syncStderr: into("stderr"),
});
try {
  await (await client.dispense("printer")).Print("text");
} finally {
  await client.kill();
}
process.stdout.write(JSON.stringify(got));
