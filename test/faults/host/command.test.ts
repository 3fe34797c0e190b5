// Which file a command names, and what is said when it is not there.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join, relative } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import { Client, type ClientConfig, nullLogger, SpawnError } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { greeter, handshakeConfig, withClient } from "../../interop/support.js";
import { needs } from "../../support.js";

const folder = mkdtempSync(join(tmpdir(), "goplug-command-"));
const { PATH = "" } = process.env;
const home = process.cwd();
afterEach(() => {
  process.env.PATH = PATH;
  process.chdir(home);
});
after(() => rmSync(folder, { recursive: true }));

function executable(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

async function startFails(config: Partial<ClientConfig>): Promise<SpawnError> {
  const client = new Client({ handshakeConfig, plugins: { greeter }, logger: nullLogger, ...config });
  const error = await client.start().catch((reason: unknown) => reason);
  await client.kill();
  assert(error instanceof SpawnError, String(error));
  return error;
}

describe("a command given by name", needs("greeter-netrpc"), () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(binary("greeter-netrpc"), join(bin, "goplug-greeter"));

  for (const [what, config] of [
    ["the plugin gets nothing of the host's environment", { skipHostEnv: true }],
    ["the plugin gets a PATH of its own", { cmd: { path: "goplug-greeter", env: { PATH: "/nowhere" } } }],
    ["its checksum is to be verified first", { secureConfig: checksumOf(binary("greeter-netrpc")) }],
  ] as const) {
    test(`is looked for in the host's PATH, also when ${what}`, () => {
      process.env.PATH = bin;
      return withClient({ plugins: { greeter }, cmd: ["goplug-greeter"], ...config }, async (client) => {
        assert.equal(await (await client.dispense("greeter")).Greet(null), "Hello!");
        const [name] = readFileSync(`/proc/${client.pid}/cmdline`, "utf8").split("\0");
        assert.equal("secureConfig" in config ? basename(name!) : name, "goplug-greeter");
      });
    });
  }

  test("is no folder of that name", () => {
    mkdirSync(join(folder, "first", "goplug-greeter"), { recursive: true });
    process.env.PATH = [join(folder, "first"), bin].join(delimiter);
    return withClient({ plugins: { greeter }, cmd: ["goplug-greeter"] }, (client) => client.ping());
  });

  test("is refused when PATH finds it relative to the current directory only, as Go refuses it", async () => {
    process.chdir(folder);
    process.env.PATH = ["", "bin"].join(delimiter);
    const error = await startFails({ cmd: ["goplug-greeter"] });
    assert.equal(error.code, "ERR_PLUGIN_NOT_FOUND");
    assert.match(error.message, /relative to the current directory only \("bin"\): give its path/);
  });
});

describe("the error of a start names what is missing:", () => {
  test("the command, and the PATH that it was looked for in", async () => {
    process.env.PATH = "/nowhere";
    const { code, message } = await startFails({ cmd: ["goplug-nothing"] });
    assert.equal(code, "ERR_PLUGIN_NOT_FOUND");
    assert.equal(
      message,
      "cannot start plugin goplug-nothing: there is no such executable in PATH (/nowhere)",
    );
  });

  test("the file, as it is found from the plugin's working directory", async () => {
    const { message } = await startFails({ cmd: { path: "./nothing", cwd: folder } });
    assert.equal(message, `cannot start plugin ./nothing: there is no file ${folder}/nothing (ENOENT)`);
  });

  test("the working directory", async () => {
    const { message } = await startFails({ cmd: { path: "/bin/sh", cwd: "/no/such/folder" } });
    assert.equal(
      message,
      "cannot start plugin /bin/sh: there is no working directory /no/such/folder (ENOENT)",
    );
  });

  test("a script's interpreter", async () => {
    const script = executable("script", "#! /no/such/interpreter -x\n");
    const { message } = await startFails({ cmd: [script] });
    assert.equal(
      message,
      `cannot start plugin ${script}: ${script} needs /no/such/interpreter, which is missing (ENOENT)`,
    );
  });

  test("a binary's dynamic loader", { skip: process.platform !== "linux" }, async () => {
    const shell = readFileSync(process.execPath)
      .toString("latin1")
      .replace(/\/lib(64)?\/ld/, "/nil$1/ld");
    const binaryFile = executable("binary", Buffer.from(shell, "latin1"));
    const { message } = await startFails({ cmd: [binaryFile] });
    assert.match(message, /binary needs \/nil(64)?\/ld\S+, which is missing \(ENOENT\)$/);
  });
});

describe("a host whose working directory was removed", needs("greeter-netrpc"), () => {
  function removeOwnFolder(): void {
    const gone = mkdtempSync(join(folder, "gone-"));
    process.chdir(gone);
    rmdirSync(gone);
  }

  for (const pinned of [false, true]) {
    test(`starts a verified plugin by its whole path${pinned ? ", from a pinned copy" : ""}`, () => {
      const secureConfig = { ...checksumOf(binary("greeter-netrpc")), pinned };
      removeOwnFolder();
      const cmd = [binary("greeter-netrpc")] as const;
      return withClient({ plugins: { greeter }, cmd, secureConfig }, (client) => client.ping());
    });
  }

  test("is told that a relative path leads nowhere", async () => {
    const cmd = [relative(folder, binary("greeter-netrpc"))] as const;
    const secureConfig = checksumOf(binary("greeter-netrpc"));
    removeOwnFolder();
    const { code, message } = await startFails({ cmd, secureConfig });
    assert.equal(code, "ERR_PLUGIN_NOT_FOUND");
    assert.match(message, /the path is relative, and the working directory of this process was removed$/);
    assert.match((await startFails({ cmd })).message, /there is no file/);
  });
});

function checksumOf(path: string): { checksum: Buffer; hash: string } {
  return { checksum: createHash("sha256").update(readFileSync(path)).digest(), hash: "sha256" };
}
