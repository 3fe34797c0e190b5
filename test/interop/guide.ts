// Runs a section of docs/guide-plugins-in-typescript.md as its reader would: listings become files, and the commands of
// console blocks must print what stands below them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const fixtures = join(root, "go-fixtures");
const guide = readFileSync(join(root, "docs/guide-plugins-in-typescript.md"), "utf8");

type Step = { readonly file: string; readonly text: string } | { readonly command: string; expected: string };

/** The guide's sections by their titles: those that have something to do. */
export function sections(): Map<string, Step[]> {
  const found = new Map<string, Step[]>();
  for (const part of guide.split(/^## /m).slice(1)) {
    const steps = [...part.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap((match) =>
      match[1] === "console" ? commands(match[2]!) : listing(match[2]!),
    );
    if (steps.length > 0) found.set(part.slice(0, part.indexOf("\n")), steps);
  }
  return found;
}

function commands(block: string): Step[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const end = text.indexOf("\n");
      return { command: text.slice(0, end), expected: text.slice(end + 1) };
    });
}

function listing(block: string): Step[] {
  const [, file, text] =
    /^(?:\/\/|#) (\S+)\n(.*)$/s.exec(block) ?? assert.fail(`a listing without a name: ${block}`);
  return [{ file: file!, text: text! }];
}

const marker = "@@@ the next command";

/** A section's steps as one shell script, so that `cd` and `export` hold; the marker parts what the commands print. */
function script(steps: readonly Step[]): string {
  const lines = steps.map((step) =>
    "file" in step
      ? `mkdir -p "$(dirname ${step.file})"\ncat > ${step.file} <<'END OF LISTING'\n${step.text}END OF LISTING`
      : `${step.command}\necho "${marker}"`,
  );
  return ["set -e", ...lines].join("\n");
}

/** "..." stands for any lines. */
function pattern(expected: string): RegExp {
  const quoted = expected.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${quoted.replaceAll("\\.\\.\\.\n", "(?:.*\n)*?")}$`);
}

/** `npm install` links this repository and its own dependencies; `git clone` copies what Go's module cache has. */
async function makeTools(folder: string): Promise<void> {
  const run = promisify(execFile);
  const [{ stdout: npm }, { stdout: module }] = await Promise.all([
    run("sh", ["-c", "command -v npm"]),
    run("go", ["list", "-m", "-f", "{{.Dir}}", "github.com/hashicorp/go-plugin"], { cwd: fixtures }),
  ]);
  const tool = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o755 });
  tool(
    "npm",
    `#!/usr/bin/env node
const { mkdirSync, readFileSync, rmSync, symlinkSync } = require("node:fs");
const { dirname } = require("node:path");
const args = process.argv.slice(2);
if (args[0] !== "install") {
  const { status } = require("node:child_process").spawnSync(${JSON.stringify(npm.trim())}, args, { stdio: "inherit" });
  process.exit(status);
}
const link = (target, path) => {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  symlinkSync(target, path);
};
for (const name of args.slice(1).filter((arg) => !arg.startsWith("-"))) {
  const home = name === "goplug" ? ${JSON.stringify(root)} : ${JSON.stringify(join(root, "node_modules/"))} + name;
  link(home, "node_modules/" + name);
  const { bin = {} } = JSON.parse(readFileSync(home + "/package.json", "utf8"));
  const bins = typeof bin === "string" ? { [name]: bin } : bin;
  for (const [command, file] of Object.entries(bins)) link(home + "/" + file, "node_modules/.bin/" + command);
}
console.log("added");
`,
  );
  tool("git", `#!/bin/sh\ncp -r "${module.trim()}" go-plugin && chmod -R u+w go-plugin\n`);
}

/** The folder that the first section leaves, made once: it builds four Go programs. */
let prepared: Promise<string> | undefined;

async function prepare(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "shared-guide-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await makeTools(folder);
  const first = [...sections().values()][0]!;
  await work(first, folder, folder, AbortSignal.timeout(300_000));
  return folder;
}

/** Works through a section, in a copy of what the first one left. */
export async function follow(title: string, signal: AbortSignal): Promise<void> {
  prepared ??= prepare();
  const [tools, folder] = [await prepared, mkdtempSync(join(tmpdir(), "guide-"))];
  try {
    cpSync(join(tools, "guide"), folder, { recursive: true, verbatimSymlinks: true });
    await work(sections().get(title)!, folder, tools, signal);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function work(steps: readonly Step[], cwd: string, tools: string, signal: AbortSignal): Promise<void> {
  const env = { ...process.env, PATH: `${tools}${delimiter}${process.env.PATH}` };
  const { error, stdout, stderr } = await runScript(script(steps), { cwd, env, signal });
  const printed = stdout.split(`${marker}\n`);
  for (const step of steps) {
    if ("file" in step) continue;
    const got = printed.shift() ?? "";
    assert.match(
      got,
      pattern(step.expected),
      `$ ${step.command}\n${got}${printed.length === 0 ? stderr : ""}`,
    );
  }
  if (error !== null) throw error;
}

function runScript(
  text: string,
  options: { cwd: string; env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<{ error: Error | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile("bash", ["-c", text], { ...options, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
      resolve({ error, stdout, stderr }),
    );
  });
}
