#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { CommandError } from "./fail.js";

interface Command {
  readonly summary: string;
  readonly help: string;
  run(argv: readonly string[]): Promise<void>;
}

/** Each is loaded when it is used. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  gen: () => import("./gen/command.js"),
  gob: () => import("./gob/command.js"),
  precompile: () => import("./precompile/command.js"),
};

/** Go's exit code for bad usage and bad input. */
const BAD_INPUT = 2;

async function usage(): Promise<string> {
  const lines = ["goplug COMMAND [ARGUMENTS]", ""];
  for (const [name, load] of Object.entries(commands))
    lines.push(`  ${name.padEnd(11)} ${(await load()).summary}`);
  return [...lines, "", "goplug COMMAND --help says more; goplug --version says which.", ""].join("\n");
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}

async function main([name, ...argv]: readonly string[]): Promise<void> {
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(await usage());
    return;
  }
  if (name === "--version" || name === "-v" || name === "version") {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined)
    throw new CommandError(`no command ${name}; there are ${Object.keys(commands).join(", ")}`);
  const command = await load();
  if (argv.includes("--help") || argv.includes("-h")) process.stdout.write(command.help);
  else await command.run(argv);
}

/** What is shown of an error as one line; undefined for a fault of the program itself. */
function explain(error: unknown): string | undefined {
  if (error instanceof CommandError) return error.message;
  const { code, message } = error as { code?: unknown; message?: string };
  if (typeof code === "string" && code.startsWith("ERR_PARSE_ARGS")) return message;
  return undefined;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const line = explain(error);
  process.stderr.write(
    `goplug: ${line === undefined ? (error as Error).stack : line.replaceAll("\n", " ")}\n`,
  );
  process.exitCode = line === undefined ? 1 : BAD_INPUT;
}
