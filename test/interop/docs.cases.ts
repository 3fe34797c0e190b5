// What is a whole program in README and docs runs as its reader would run it, with Go on the other side.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Case, CaseContext } from "./case.js";
import { runHostCheck } from "./host-check.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** The blocks of one language in a section of a page. */
function blocks(page: string, section: string, language: string): string[] {
  const markdown = readFileSync(join(root, page), "utf8");
  const part = markdown.split(/^#+ /m).find((text) => text.startsWith(`${section}\n`));
  assert(part !== undefined, `${page} has no section ${section}`);
  const found = [...part.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter((match) => match[1] === language);
  assert(found.length > 0, `${page}, ${section}: no ${language}`);
  return found.map((match) => match[2]!);
}

/** A reader's folder: goplug is installed, and `greeter` is a Go plugin. */
async function inFolder(
  { bin }: Pick<CaseContext, "bin">,
  work: (folder: string, write: (name: string, text: string) => void) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "docs-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/goplug"));
    symlinkSync(join(root, "node_modules/tsx"), join(folder, "node_modules/tsx"));
    symlinkSync(bin("greeter-netrpc"), join(folder, "greeter"));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    await work(folder, (name, text) => writeFileSync(join(folder, name), text));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How Node runs a file of the folder. */
const node = (file: string): string[] => [...(file.endsWith(".ts") ? ["--import", "tsx"] : []), file];

const hosts: Case[] = (["ts", "js"] as const).map((language) => ({
  name: `ts->go netrpc README's host in ${language}`,
  needs: ["greeter-netrpc"],
  run: (context) =>
    inFolder(context, async (cwd, write) => {
      const file = `host.${language}`;
      write(file, blocks("README.md", "A host", language)[0]!);
      const { stdout } = await run(process.execPath, node(file), { cwd, signal: context.signal });
      assert.equal(stdout, "Hello!\n");
    }),
}));

const plugins: Case[] = ["plugin.ts", "plugin.js"].map((file) => ({
  name: `go->ts netrpc README's plugin as ${file}`,
  needs: ["greeter-netrpc", "host-check"],
  run: (context) =>
    inFolder(context, async (cwd, write) => {
      write(file, blocks("README.md", "A plugin", "ts")[0]!);
      // Where the host's working directory does not matter: by whole paths.
      const loader = file.endsWith(".ts") ? ["--import", import.meta.resolve("tsx")] : [];
      const command = [process.execPath, ...loader, join(cwd, file)];
      const { code, output } = await runHostCheck(
        context.bin("host-check"),
        ["-case", "greeter", "--", ...command],
        context.signal,
      );
      assert.equal(code, 0, output);
    }),
}));

const callbacks: Case = {
  name: "ts->ts netrpc README's callbacks",
  needs: ["greeter-netrpc"],
  run: (context) =>
    inFolder(context, async (cwd, write) => {
      const program = [
        'import { gob, netRpcPlugin } from "goplug";',
        'import { pluginPair } from "goplug/testing";',
        ...blocks("README.md", "Calling back", "ts"),
        "await using pair = await pluginPair({ counter: implementation });",
        'console.log(await (await pair.client.dispense("counter")).add(2n));',
      ];
      write("callbacks.ts", program.join("\n"));
      const { stdout } = await run(process.execPath, node("callbacks.ts"), { cwd, signal: context.signal });
      assert.equal(stdout, "42n\n");
    }),
};

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** What a server answers, once it is there. */
async function answer(url: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await (await fetch(url, { signal })).text();
    } catch {
      await sleep(50);
    }
  }
}

const server: Case = {
  name: "ts->go netrpc the server of docs/deploying.md",
  needs: ["greeter-netrpc"],
  run: (context) =>
    inFolder(context, async (cwd, write) => {
      const port = await freePort();
      const program = blocks("docs/deploying.md", "In a server", "ts")[0]!;
      assert.match(program, /listen\(8080\)/);
      write("server.ts", program.replace("listen(8080)", `listen(${port})`));
      const child = spawn(process.execPath, node("server.ts"), { cwd, stdio: "inherit" });
      try {
        assert.equal(await answer(`http://localhost:${port}/`, context.signal), "Hello!");
        child.kill("SIGTERM");
        const [code, signal] = await once(child, "exit", { signal: context.signal });
        assert.deepEqual([code, signal], [0, null]);
      } finally {
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      }
    }),
};

const tests: Case = {
  name: "ts->ts netrpc the tests of docs/testing-plugins.md",
  needs: ["greeter-netrpc"],
  run: (context) =>
    inFolder(context, async (cwd, write) => {
      write("plugin.js", blocks("README.md", "A plugin", "ts")[0]!);
      const page = "docs/testing-plugins.md";
      const given = /^const handshakeConfig = .*$/m.exec(blocks("README.md", "A plugin", "ts")[0]!)![0];
      const program = [
        ...blocks(page, "Testing a plugin", "ts"),
        given,
        ...blocks(page, "The whole program", "ts"),
      ];
      write("plugin.test.ts", program.join("\n"));
      // Not as a part of the test run that this process may be itself.
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const args = [
        ...node("plugin.test.ts").slice(0, -1),
        "--test",
        "--test-reporter=tap",
        "plugin.test.ts",
      ];
      const { stdout } = await run(process.execPath, args, { cwd, env, signal: context.signal });
      assert.match(stdout, /^# pass 2$/m);
      assert.match(stdout, /^# fail 0$/m);
    }),
};

export const cases: Case[] = [...hosts, ...plugins, callbacks, server, tests];
