import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CommandError } from "../fail.js";
import { writeWhole } from "../write-file.js";
import { type Contract, parseContract } from "./contract.js";
import { loadDefinitions } from "./go-out/load.js";
import { renderGo } from "./go-out/render.js";
import { GENERATED, render } from "./render.js";
import { runGo } from "./run-go.js";
import { select, withoutDocs } from "./select.js";

export const summary = "write TypeScript definitions of a Go program's net/rpc services";

export const help = `goplug gen PACKAGE... [--out FILE.ts]
goplug gen --from CONTRACT.json [--out FILE.ts]
goplug gen --binary EXECUTABLE [PACKAGE...] [--out FILE.ts]
goplug gen --go DEFINITIONS.ts [--package NAME] [--out FILE.go]

Writes TypeScript definitions of the net/rpc services of Go packages. A PACKAGE is a folder or an import path, resolved in the Go
module of the current folder, as \`go build\` does.

  --out FILE           where to write; without it, and without --contract, the standard output
  --contract FILE      write the contract as JSON, for --from on machines without Go
  --from FILE          read a contract instead of Go packages
  --binary FILE        read the debug information of a Go executable instead; PACKAGEs narrow it down
  --receiver NAME      take this receiver only (may be repeated)
  --int64 bigint|number  how int64 and uint64 are shown (default: bigint)
  --no-docs            leave out what the Go source says about its types and methods
  --nilable-maps       show nil maps as null, and tell them from empty ones
  --codec TYPE=FILE#NAME  the schema of a Go type that marshals itself: the export NAME of the module FILE
  --optional           implementations of the plugins may have a part of the methods
  --skip-unsendable    leave out methods that gob cannot send, instead of failing
  -C, --dir DIR        the folder whose Go module to use (default: the current one)
  --go FILE            the other way round: the Go half of the definitions that a module exports
  --package NAME       the name of the Go package (default: the folder of --out)
`;

/** Runs `goplug gen`. Throws {@link CommandError}. */
export async function run(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      out: { type: "string" },
      contract: { type: "string" },
      from: { type: "string" },
      binary: { type: "string" },
      receiver: { type: "string", multiple: true, default: [] },
      int64: { type: "string", default: "bigint" },
      "no-docs": { type: "boolean", default: false },
      "nilable-maps": { type: "boolean", default: false },
      codec: { type: "string", multiple: true, default: [] },
      optional: { type: "boolean", default: false },
      "skip-unsendable": { type: "boolean", default: false },
      go: { type: "string" },
      package: { type: "string" },
      dir: { type: "string", short: "C", default: "." },
    },
  });
  if (values.go !== undefined) {
    if (positionals.length > 0 || values.from !== undefined || values.binary !== undefined)
      throw new CommandError("--go takes the place of packages, --from and --binary");
    await writeGo(values.go, values.out, values.package, commandLine(argv));
    return;
  }
  const { int64, receiver: receivers, from, binary } = values;
  if (int64 !== "bigint" && int64 !== "number")
    throw new CommandError(`--int64 is bigint or number, not ${int64}`);
  if (from !== undefined && (positionals.length > 0 || binary !== undefined))
    throw new CommandError("--from takes the place of packages and --binary");
  const codecs = values.codec.map(parseCodec);
  const json =
    from === undefined
      ? await runGo(goArgs(positionals, receivers, binary), resolve(values.dir))
      : readText(from);
  const whole = parseContract(json);
  for (const warning of whole.warnings ?? []) process.stderr.write(`goplug gen: warning: ${warning}\n`);
  const contract = select(whole, { receivers, skipUnsendable: values["skip-unsendable"] });
  if (contract.services.length === 0)
    throw new CommandError(`no type of ${contract.packages.join(", ")} has methods that net/rpc would serve`);
  const text = render(values["no-docs"] ? withoutDocs(contract) : contract, {
    int64,
    nilableMaps: values["nilable-maps"],
    codecs,
    optional: values.optional,
    command: commandLine(argv),
  });
  if (values.contract !== undefined) writeWhole(values.contract, json, isContract);
  if (values.out !== undefined) writeWhole(values.out, text, (old) => GENERATED.test(old));
  else if (values.contract === undefined) process.stdout.write(text);
  if (values.out !== undefined) process.stderr.write(`goplug gen: ${values.out}: ${counts(contract)}\n`);
}

/** The Go half of TypeScript definitions. */
async function writeGo(
  file: string,
  out: string | undefined,
  packageName: string | undefined,
  command: string,
): Promise<void> {
  const name =
    packageName ?? (out === undefined ? "definitions" : basename(dirname(resolve(out)))).toLowerCase();
  if (!/^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(name))
    throw new CommandError(`${JSON.stringify(name)} is no name for a Go package: give one by --package`);
  const text = renderGo(await loadDefinitions(file), { packageName: name, command });
  if (out === undefined) process.stdout.write(text);
  else writeWhole(out, text, (old) => GENERATED.test(old));
}

function goArgs(
  packages: readonly string[],
  receivers: readonly string[],
  binary: string | undefined,
): string[] {
  const args = receivers.flatMap((name) => ["-receiver", name]);
  if (binary !== undefined) args.push("-binary", resolve(binary));
  return [...args, "--", ...packages];
}

/** `TYPE=FILE#NAME` */
function parseCodec(text: string): { type: string; from: string; name: string } {
  const parts = /^([^=]+)=(.+)#([\p{ID_Start}_$][\p{ID_Continue}$]*)$/u.exec(text);
  if (parts === null) throw new CommandError(`--codec is TYPE=FILE#NAME, not ${text}`);
  const [, type, from, name] = parts as unknown as [string, string, string, string];
  return { type, from, name };
}

/** The command for the file's header: without what depends on where it is run. */
function commandLine(argv: readonly string[]): string {
  const words: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (/^(--out|--contract|--dir|-C)$/.test(word)) i++;
    else if (!/^(--out|--contract|--dir)=|^-C./.test(word)) words.push(word);
  }
  return ["goplug gen", ...words].join(" ").replace(/\s+/g, " ");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CommandError(`cannot read ${path}: ${(error as Error).message}`);
  }
}

function isContract(old: string): boolean {
  return /"goplugContract":\s*\d/.test(old);
}

function counts({ services, types, registrations, constants }: Contract): string {
  const methods = services.reduce((sum, s) => sum + s.methods.length, 0);
  const some = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
  return [
    some(services.length, "receiver"),
    some(methods, "method"),
    some(Object.keys(types).length, "type"),
    some(registrations.length, "registration"),
    some(constants.length, "constant"),
  ].join(", ");
}
