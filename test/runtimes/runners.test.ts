// A project that uses the packed goplug, under the runners that people test and start TypeScript with: vitest, jest, tsx and ts-node.
// Each hosts a plugin in TypeScript, and serves one in its own process. `make test-runtimes` fetches them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pack, runtimePath, unpack } from "./support.js";

const bin = runtimePath("runners");
const tsx = fileURLToPath(import.meta.resolve("tsx"));
const installed = dirname(dirname(bin));
// Below the installed packages, so that they are found; those of goplug itself are found in the repository.
const project = mkdtempSync(join(installed, "project-"));
after(() => rmSync(project, { recursive: true }));

const shared = `
const handshakeConfig = { protocolVersion: 1, magicCookieKey: "RUNNER", magicCookieValue: "hello" };
const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] });
`;
const tests = `${shared}
test("in one process", async () => {
  const pair = await pluginPair({ greeter: greeter.implement({ Greet: () => "Hello!" }) });
  try {
    expect(await (await pair.client.dispense("greeter")).Greet(null)).toBe("Hello!");
  } finally {
    await pair[Symbol.asyncDispose]();
  }
});

test("the whole program", async () => {
  const client = new Client({ handshakeConfig, plugins: { greeter }, cmd: JSON.parse(process.env.PLUGIN) });
  try {
    expect(await (await client.dispense("greeter")).Greet(null)).toBe("Hello!");
  } finally {
    await client.kill();
  }
}, 60_000);
`;
const imports = `import { Client, gob, netRpcPlugin } from "goplug";
import { pluginPair } from "goplug/testing";
`;
const files: Readonly<Record<string, string>> = {
  "package.json": `{ "type": "module", "private": true }`,
  "tsconfig.json": `{ "compilerOptions": { "module": "nodenext", "target": "es2022", "strict": true, "types": ["node"], "skipLibCheck": true } }`,
  "plugin.ts": `import { gob, netRpcPlugin, serve } from "goplug";
${shared}
await serve({ handshakeConfig, plugins: { greeter: greeter.implement({ Greet: () => "Hello!" }) } });
`,
  "host.ts": `import { Client, gob, netRpcPlugin } from "goplug";
${shared}
const client = new Client({ handshakeConfig, plugins: { greeter }, cmd: JSON.parse(process.env.PLUGIN!) });
try {
  console.log(await (await client.dispense("greeter")).Greet(null));
} finally {
  await client.kill();
}
`,
  "vitest.test.js": `import { expect, test } from "vitest";\n${imports}${tests}`,
  "esm.spec.mjs": imports + tests,
  "commonjs.spec.cjs": `const { Client, gob, netRpcPlugin } = require("goplug");
const { pluginPair } = require("goplug/testing");
${tests}`,
};

for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
unpack(pack(project), project);

const underTsx = ["node", "--import", tsx, join(project, "plugin.ts")];
const underTsNode = ["node", "--no-warnings", "--loader", "ts-node/esm", join(project, "plugin.ts")];

/** Runs a program of the project; what it printed, whether it failed or not. */
async function run(
  program: string,
  args: readonly string[],
  { env = {}, plugin = underTsx }: { env?: NodeJS.ProcessEnv; plugin?: readonly string[] } = {},
): Promise<{ failed: boolean; printed: string }> {
  // A program that ran in a runner of node:test would report to it.
  const { NODE_TEST_CONTEXT, ...inherited } = process.env;
  const options = {
    cwd: project,
    timeout: 120_000,
    env: { ...inherited, PLUGIN: JSON.stringify(plugin), GOPLUG_LOG: "error", NO_COLOR: "1", ...env },
  };
  return promisify(execFile)(program, args, options).then(
    ({ stdout, stderr }) => ({ failed: false, printed: stdout + stderr }),
    (error: { stdout: string; stderr: string }) => ({ failed: true, printed: error.stdout + error.stderr }),
  );
}

for (const pool of ["forks", "threads", "vmForks", "vmThreads"]) {
  test(`vitest, ${pool}`, async () => {
    const { failed, printed } = await run(join(bin, "vitest"), ["run", "--pool", pool, "vitest.test.js"]);
    assert.equal(failed, false, printed);
    assert.match(printed, /Tests +2 passed/);
  });
}

const vmModules = { NODE_OPTIONS: "--experimental-vm-modules --no-warnings" };
const jest = (file: string, env: NodeJS.ProcessEnv) =>
  run(join(bin, "jest"), ["--testMatch", `**/${file}`], { env });

test("jest, an ECMAScript module with vm-modules", async () => {
  const { failed, printed } = await jest("esm.spec.mjs", vmModules);
  assert.equal(failed, false, printed);
  assert.match(printed, /Tests: +2 passed/);
});

test("jest, CommonJS with vm-modules on Node 24", async () => {
  const path = `${runtimePath("24")}:${process.env.PATH}`;
  const { failed, printed } = await jest("commonjs.spec.cjs", { ...vmModules, PATH: path });
  assert.equal(failed, false, printed);
  assert.match(printed, /Tests: +2 passed/);
});

test("jest, CommonJS without vm-modules: its loader cannot load what goplug is, and says so", async () => {
  const { failed, printed } = await jest("commonjs.spec.cjs", {});
  assert.equal(failed, true);
  assert.match(printed, /Must use import to load ES Module/);
});

test("tsx hosts a plugin under tsx, and under ts-node", async () => {
  for (const plugin of [underTsx, underTsNode]) {
    assert.deepEqual(await run("node", ["--import", tsx, "host.ts"], { plugin }), {
      failed: false,
      printed: "Hello!\n",
    });
  }
});

test("ts-node hosts a plugin under tsx", async () => {
  const { failed, printed } = await run("node", ["--no-warnings", "--loader", "ts-node/esm", "host.ts"]);
  assert.deepEqual({ failed, printed }, { failed: false, printed: "Hello!\n" });
});
