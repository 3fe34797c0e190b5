// The built package for users of protobuf-es, who have not installed @grpc/grpc-js.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;

const program = `
import * as protobuf from "@bufbuild/protobuf";
import { addProtobufService, Client, GrpcCallError, grpcPlugin, Metadata, protobufPlugin } from "goplug";
import { KV } from "./gen/kv_pb.js";

const kv = protobufPlugin(KV, protobuf);
const handshakeConfig = { protocolVersion: 1, magicCookieKey: "K", magicCookieValue: "V" };
const client = new Client({ handshakeConfig, plugins: { kv }, allowedProtocols: ["grpc"], cmd: ["./kv"] });
const store = await client.dispense("kv");
const { value } = await store.get({ key: "k" }, { timeout: 2000, metadata: { a: "b" } });
// @ts-expect-error
const text: string = value;
// @ts-expect-error
await store.get({ key: 5 });
kv.implement({
  get: ({ key }, { metadata, signal }) => {
    const known: boolean = signal.aborted;
    // @ts-expect-error
    metadata.nothing();
    return { value: new Uint8Array(metadata.get(key).length) };
  },
});
grpcPlugin({
  client: ({ conn }) => conn.protobuf(KV, protobuf),
  server: ({ server }) => addProtobufService(server, KV, protobuf, {}),
});
new Metadata().set("a", "b");
export const codeOf = (error: unknown) => (error instanceof GrpcCallError ? error.code : undefined);
`;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "bare-"));
  const modules = join(folder, "node_modules");
  // Copied, so that nothing is found in the folders above it; what it depends on is linked.
  cpSync(join(root, "dist"), join(modules, "goplug/dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(modules, "goplug/package.json"));
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), "@types/node"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name), "junction");
  }
  cpSync(join(root, "examples/kv-grpc/gen"), join(folder, "gen"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(folder, "program.ts"), program);
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const skipLibCheck of [true, false]) {
  test(`its declarations are whole, with skipLibCheck ${skipLibCheck}`, () => {
    const options = {
      compilerOptions: {
        module: "nodenext",
        target: "es2022",
        lib: ["es2022", "esnext.disposable"],
        strict: true,
        noEmit: true,
        types: ["node"],
        skipLibCheck,
      },
      files: ["program.ts"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options));
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
    assert.equal(stdout, "");
  });
}

test("it loads, and says what to do where the package is needed", () => {
  const script = `
    import { Client, Metadata, nullLogger, serve } from "goplug";
    const client = new Client({
      handshakeConfig: { protocolVersion: 1, magicCookieKey: "K", magicCookieValue: "V" },
      plugins: { any: { grpcClient: () => 1, grpcServer() {} } },
      cmd: ["sh", "-c", 'echo "1|1|unix|/nowhere|grpc|"; exec sleep 60'],
      allowedProtocols: ["grpc"],
      grpcTransport: "grpc-js",
      logger: nullLogger,
    });
    const error = await client.ping().catch((thrown) => thrown);
    console.log(error.code, error.message);`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(
    printed,
    'ERR_GRPC_MISSING grpcTransport: "grpc-js" needs the package @grpc/grpc-js: npm install @grpc/grpc-js\n',
  );
});
