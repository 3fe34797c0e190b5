import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { gob as Gob } from "goplug";
// The built package, as the definitions import it.
import { caller, type MethodTable, RpcClient, RpcServer } from "goplug/netrpc";
import { type Contract, parseContract } from "../../../src/cli/gen/contract.js";
import { withoutDocs } from "../../../src/cli/gen/select.js";
import { goReceivers, goTable, serviceKey } from "./go-table.js";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));
const command = join(root, "src/cli/main.ts");

/** A Go program's contract, and what is known of it from elsewhere. */
export interface Proof {
  /** The folder of the Go module, below go-fixtures. */
  readonly module: string;
  readonly packages: readonly string[];
  /** Further arguments of `goplug gen`. */
  readonly args?: readonly string[];
  /** Go source that goes with the proof, as values for types whose fields cannot be set. */
  readonly extra?: string;
  /** Names that the Go program registers with gob in a way that cannot be told from its source. */
  readonly untold?: readonly string[];
  /** How many methods each receiver has, by package and name, where that does not change. */
  readonly receivers?: Readonly<Record<string, number>>;
}

interface Report {
  methods: number;
  calls: number;
  types: string[];
  skipped: string[];
  failures: string[];
}

/**
 * Holds the contract that is read from an executable against the one from its source: the receivers that the executable has, with
 * all their types. Gives how many there are.
 */
export async function compareBinary(
  proof: Pick<Proof, "module" | "packages">,
  executable: string,
  signal: AbortSignal,
): Promise<{ services: number; types: number }> {
  const module = join(root, "go-fixtures", proof.module);
  const contracts: Contract[] = [];
  for (const args of [["--binary", executable], []]) {
    const folder = mkdtempSync(join(tmpdir(), "binary-"));
    try {
      const file = join(folder, "contract.json");
      const all = [
        "gen",
        "-C",
        module,
        ...args,
        ...(await importPaths(proof, module, signal)),
        "--contract",
        file,
      ];
      await run(process.execPath, ["--import", import.meta.resolve("tsx"), command, ...all], { signal });
      contracts.push(parseContract(readFileSync(file, "utf8")));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const [binary, source] = contracts as [Contract, Contract];
  assert(binary.missing?.includes("comments"), "what a binary cannot tell is said");
  const told = withoutDocs(source);
  for (const service of binary.services) {
    const of = told.services.find(({ type }) => type === service.type);
    assert(of !== undefined, `${service.type} is not in the source's contract`);
    assert.deepEqual(service, { ...of, served: [] });
  }
  for (const [name, type] of Object.entries(binary.types)) assert.deepEqual(type, told.types[name], name);
  return { services: binary.services.length, types: Object.keys(binary.types).length };
}

async function importPaths(
  { packages }: Pick<Proof, "packages">,
  module: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { stdout } = await run("go", ["list", ...packages], { cwd: module, signal });
  return stdout.trim().split("\n");
}

/** Holds the definitions that are generated for a Go program against that program. */
export async function prove(proof: Proof, signal: AbortSignal): Promise<void> {
  const module = join(root, "go-fixtures", proof.module);
  // Inside of the package, where its own name resolves to it.
  mkdirSync(join(here, "generated"), { recursive: true });
  const folder = mkdtempSync(join(here, "generated", "proof-"));
  try {
    const variants = [
      { name: "default", gen: [], go: ["-plain-numbers"] },
      { name: "numbers", gen: ["--int64", "number", "--nilable-maps"], go: ["-safe-int64", "-strict-maps"] },
    ];
    const contractFile = join(folder, "contract.json");
    for (const { name, gen } of variants) {
      const from =
        name === "default" ? [...proof.packages, "--contract", contractFile] : ["--from", contractFile];
      const args = [
        "gen",
        "-C",
        module,
        ...from,
        ...gen,
        ...(proof.args ?? []),
        "--out",
        join(folder, `${name}.ts`),
      ];
      await run(process.execPath, ["--import", import.meta.resolve("tsx"), command, ...args], { signal });
    }
    const contract = parseContract(readFileSync(contractFile, "utf8"));
    const [binary] = await Promise.all([
      build(contract, module, folder, proof, signal),
      compile(
        folder,
        variants.map(({ name }) => `${name}.ts`),
        signal,
      ),
    ]);
    await checkReflected(contract, binary, proof, signal);
    for (const { name, go } of variants) {
      const definitions = await import(pathToFileURL(join(folder, `${name}.ts`)).href);
      const report = await callBothWays(contract, definitions, binary, go, signal);
      assert.deepEqual(report.failures.slice(0, 10), [], `${name}: ${report.failures.length} failures`);
      assert.equal(
        report.methods,
        contract.services.reduce((sum, s) => sum + s.methods.length, 0),
      );
      const ofConstants = contract.constants.map(({ type }) =>
        typeof type === "object" && "named" in type ? type.named : "",
      );
      const tried = new Set([...report.types, ...ofConstants]);
      const untried = Object.keys(contract.types).filter((type) => !tried.has(type));
      assert.deepEqual(untried, [], "types that no value went through");
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The oldest TypeScript that generated definitions are for. */
const OLDEST = "5.4";

/** The folder of the oldest compiler; undefined where the registry that has it cannot be reached, which CI does not accept. */
async function oldestCompiler(signal: AbortSignal): Promise<string | undefined> {
  try {
    const { stdout } = await run(join(root, "scripts/runtime.sh"), [`typescript-${OLDEST}`], { signal });
    return stdout.trim();
  } catch (error) {
    if (process.env.CI === "true") throw error;
    return undefined;
  }
}

/** Has the oldest and the newest TypeScript check definitions, as strictly as they can. */
async function compile(folder: string, files: readonly string[], signal: AbortSignal): Promise<void> {
  const compilers = [{ path: join(root, "node_modules/.bin"), skipLibCheck: false }];
  const oldest = await oldestCompiler(signal);
  // Declarations of goplug's dependencies ask for a newer one.
  if (oldest !== undefined) compilers.push({ path: oldest, skipLibCheck: true });
  for (const { path, skipLibCheck } of compilers) {
    const compilerOptions = {
      target: "es2022",
      lib: ["es2023", "esnext.disposable"],
      module: "nodenext",
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      noUnusedLocals: true,
      noEmit: true,
      skipLibCheck,
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    await run(join(path, "tsc"), ["-p", folder], { signal }).catch((error: { stdout?: string }) => {
      throw new assert.AssertionError({ message: `${path}: ${error.stdout ?? String(error)}` });
    });
  }
}

/** Compiles the proof program for a contract, in the contract's module. */
async function build(
  contract: Contract,
  module: string,
  folder: string,
  proof: Proof,
  signal: AbortSignal,
): Promise<string> {
  // One folder for all files: `go build` wants it so.
  const names = ["proof.go", "differ.go", "fill.go"];
  for (const name of names) copyFileSync(join(here, "proof", name), join(folder, name));
  writeFileSync(join(folder, "table.go"), goTable(contract));
  writeFileSync(join(folder, "extra.go"), proof.extra ?? "package main\n");
  const files = [...names, "table.go", "extra.go"].map((name) => join(folder, name));
  const binary = join(folder, "proof");
  const args = await showReceivers(contract, module, folder, signal);
  await run("go", ["build", ...args, "-ldflags=-checklinkname=0", "-o", binary, ...files], {
    cwd: module,
    signal,
    maxBuffer: 16 << 20,
  });
  return binary;
}

/**
 * Adds a file to each package that has receivers which are not exported: by an overlay in the module itself, in a copy of a module
 * from the cache, over which Go lays nothing. Gives the arguments that have it built so.
 */
async function showReceivers(
  contract: Contract,
  module: string,
  folder: string,
  signal: AbortSignal,
): Promise<string[]> {
  const Replace: Record<string, string> = {};
  const replaces: string[] = [];
  // Folders may have spaces in their names.
  const format = ["ImportPath", "Name", "Dir", "Module.Path", "Module.Dir", "Module.Main"]
    .map((field) => `{{.${field}}}`)
    .join("\t");
  const listed = await run("go", ["list", "-f", format, ...contract.packages], { cwd: module, signal });
  for (const [i, line] of listed.stdout.trim().split("\n").entries()) {
    const [path, name, dir, of, from, main] = line.split("\t") as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const text = goReceivers(contract, path, name);
    if (text === undefined) continue;
    if (main === "true") {
      const added = join(folder, `receivers-${i}.go`);
      writeFileSync(added, text);
      Replace[join(dir, "zz_goplug_receivers.go")] = added;
    } else {
      const copy = join(folder, `module-${i}`);
      await run("cp", ["-r", from, copy], { signal });
      await run("chmod", ["-R", "u+w", copy], { signal });
      writeFileSync(join(copy, dir.slice(from.length), "zz_goplug_receivers.go"), text);
      replaces.push(`-replace=${of}=${copy}`);
    }
  }
  writeFileSync(join(folder, "overlay.json"), JSON.stringify({ Replace }));
  const args = ["-overlay", join(folder, "overlay.json")];
  if (replaces.length > 0) {
    for (const end of ["mod", "sum"]) copyFileSync(join(module, `go.${end}`), join(folder, `go.${end}`));
    await run("go", ["mod", "edit", ...replaces, join(folder, "go.mod")], { signal });
    args.push("-modfile", join(folder, "go.mod"));
  }
  return args;
}

/** What Go's reflection knows of the program and the contract does not, or the other way round. */
async function checkReflected(
  contract: Contract,
  binary: string,
  proof: Proof,
  signal: AbortSignal,
): Promise<void> {
  const { stdout } = await run(binary, ["reflect"], { signal, maxBuffer: 16 << 20 });
  const { methods, registered } = JSON.parse(stdout) as {
    methods: Record<string, string[]>;
    registered: Record<string, string>;
  };
  const counts = Object.fromEntries(Object.entries(methods).map(([name, of]) => [name, of.length]));
  if (proof.receivers !== undefined)
    assert.deepEqual(counts, proof.receivers, "receivers and their methods, by reflection");
  for (const service of contract.services)
    assert.deepEqual(
      service.methods.map(({ name }) => name).sort(),
      methods[serviceKey(service)]!.map((line) => line.split(" ")[0]!).sort(),
      service.name,
    );
  // Go's builtin types are registered in every program.
  const builtin = /^(\[\])?(bool|u?int\d*|uintptr|float\d+|complex\d+|string)$/;
  const named = Object.keys(registered).filter((name) => !builtin.test(name));
  assert.deepEqual(
    named.sort(),
    [...contract.registrations.map(({ name }) => name), ...(proof.untold ?? [])].sort(),
    "what is registered with gob",
  );
}

/** The method table of a service in the definitions, which has a name of its own where Go's was taken. */
function tableOf(
  definitions: Record<string, unknown>,
  name: string,
  methods: readonly { name: string }[],
): MethodTable {
  const wanted = methods.map((method) => method.name).join();
  const found = [definitions[name], ...Object.values(definitions)].find(
    (value) => typeof value === "object" && value !== null && Object.keys(value).join() === wanted,
  );
  assert(found !== undefined, `no method table with ${wanted}`);
  return found as MethodTable;
}

async function callBothWays(
  contract: Contract,
  definitions: Record<string, unknown>,
  binary: string,
  options: readonly string[],
  signal: AbortSignal,
): Promise<Report> {
  // Not in the folder: the checkout's path may be too long for a socket's.
  const home = mkdtempSync(join(tmpdir(), "proof-"));
  const socket = join(home, "s");
  const child = spawn(binary, ["run", "-socket", socket, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
    signal,
  });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const sockets: Socket[] = [];
  const dial = async (): Promise<Socket> => {
    const dialled = connect(socket);
    sockets.push(dialled);
    await once(dialled, "connect");
    return dialled;
  };
  try {
    assert.equal((await lines.next()).value, "listening");
    const registry = definitions.registry as Gob.Registry;
    const client = new RpcClient(await dial(), { registry });
    const server = new RpcServer({ registry });
    for (const { methods, ...of } of contract.services) {
      const name = serviceKey(of);
      const table = tableOf(definitions, of.name, methods);
      // What arrives is handed on as it is.
      server.register(name, table, caller(client, name, table) as never);
    }
    void server.serve(await dial());
    const { value } = await lines.next();
    assert(value !== undefined, "the proof program ended without a report");
    return JSON.parse(value) as Report;
  } finally {
    for (const each of sockets) each.destroy();
    child.kill();
    await ended;
    rmSync(home, { recursive: true });
  }
}
