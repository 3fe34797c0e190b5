import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

// docs/api-mapping.md must name everything that go-plugin exports, and nothing that goplug does not have.

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const packages = ["github.com/hashicorp/go-plugin", "github.com/hashicorp/go-plugin/runner"] as const;

interface Row {
  line: number;
  /** `Client.Kill`, or `runner.Runner.Start`. */
  go: string;
  /** What stands in goplug's column between backticks. */
  ours: string[];
  /** Neither built nor renounced. */
  notYet: boolean;
  none: boolean;
  note: string;
}

let rows: Row[] = [];
let sources = "";

before(async () => {
  rows = readRows(await readFile(join(root, "docs/api-mapping.md"), "utf8"));
  const names = await readdir(join(root, "src"), { recursive: true });
  const files = names.filter((name) => name.endsWith(".ts"));
  sources = (await Promise.all(files.map((name) => readFile(join(root, "src", name), "utf8")))).join("\n");
});

const go = process.env.GO ?? "go";
const haveGo = spawnSync(go, ["version"]).status === 0;

test("the table has every exported identifier of the pinned go-plugin, and no other", {
  skip: !haveGo && process.env.CI !== "true" ? "no Go" : false,
}, async () => {
  const exported: string[] = [];
  for (const name of packages) {
    const { stdout } = await run(go, ["doc", "-all", name], {
      cwd: join(root, "go-fixtures"),
      maxBuffer: 1 << 24,
    });
    const prefix = name === packages[0] ? "" : "runner.";
    exported.push(...readGoDoc(stdout).map((identifier) => prefix + identifier));
  }
  assert.ok(exported.length > 150, `read only ${exported.length} identifiers`);
  assert.deepEqual(rows.map(({ go }) => go).sort(), exported.sort());
});

test("the table has every exported identifier of older releases", {
  skip: !haveGo && process.env.CI !== "true" ? "no Go" : false,
}, async () => {
  const known = new Set(rows.map(({ go }) => go));
  for (const release of ["v1_0", "v1_4"]) {
    const cwd = join(root, "go-fixtures/legacy", release);
    const { stdout } = await run(go, ["doc", "-all", packages[0]], { cwd, maxBuffer: 1 << 24 });
    const exported = readGoDoc(stdout);
    assert.ok(exported.length > 140, `read only ${exported.length} identifiers of ${release}`);
    assert.deepEqual(
      exported.filter((identifier) => !known.has(identifier)),
      [],
    );
  }
});

test("each row names goplug's counterpart, or says why there is none", () => {
  for (const { line, ours, notYet, none, note } of rows) {
    const where = `docs/api-mapping.md:${line}`;
    if (none) {
      assert.equal(ours.length, 0, `${where}: none, or what?`);
      assert.ok(note.length > 10, `${where}: none, but why?`);
    } else if (!notYet) assert.ok(ours.length > 0, `${where}: names nothing`);
  }
});

test("what the table names exists, and what it calls not yet built does not", async () => {
  const dir = await mkdtemp(join(tmpdir(), "goplug-mapping-"));
  after(() => rm(dir, { recursive: true }));
  const claims = rows.flatMap((row) => row.ours.map((reference) => ({ ...row, reference })));
  const missing = await missingReferences(
    dir,
    claims.map(({ reference }) => reference),
  );
  const wrong = claims.filter(({ reference, notYet }) => missing.has(reference) !== notYet);
  assert.deepEqual(
    wrong.map(
      ({ line, reference, notYet }) =>
        `docs/api-mapping.md:${line}: ${reference} ${notYet ? "exists by now" : "does not exist"}`,
    ),
    [],
  );
});

function readRows(markdown: string): Row[] {
  return markdown.split("\n").flatMap((text, index) => {
    const [, go, ours, note] = /^\| `([^`]+)` *\| (.*?) *\| (.*?) *\|$/.exec(text) ?? [];
    if (go === undefined || ours === undefined || note === undefined) return [];
    return {
      line: index + 1,
      go,
      ours: Array.from(ours.matchAll(/`([^`]+)`/g), (match) => match[1]!),
      notYet: ours.startsWith("not yet"),
      none: ours === "none",
      note,
    };
  });
}

/** The exported identifiers in the output of `go doc -all`. */
function readGoDoc(text: string): string[] {
  const found: string[] = [];
  const block = { type: "", kind: "" };
  for (const line of text.split("\n")) {
    if (block.kind !== "") {
      if (line === ")" || line === "}") {
        block.kind = "";
        continue;
      }
      const prefix = block.type === "" ? "" : `${block.type}.`;
      if (/^\t\/\//.test(line)) continue;
      const names = /^\t([A-Z]\w*(?:, [A-Z]\w*)*)(?:[ (]|$)/.exec(line)?.[1];
      // An embedded type of another package: sync.Mutex is the field Mutex.
      const embedded = /^\t\*?[a-z]\w*\.([A-Z]\w*)$/.exec(line)?.[1];
      for (const name of (names ?? embedded ?? "").split(", ")) if (name !== "") found.push(prefix + name);
      continue;
    }
    const method = /^func \(\w+ \*?(\w+)\) ([A-Z]\w*)\(/.exec(line);
    if (method) found.push(`${method[1]}.${method[2]}`);
    const single = /^(?:func|const|var|type) ([A-Z]\w*)/.exec(line)?.[1];
    if (single) found.push(single);
    const type = /^type (\w+) (?:struct|interface) \{$/.exec(line)?.[1];
    if (type !== undefined) Object.assign(block, { type, kind: "type" });
    else if (/^(?:const|var) \($/.test(line)) Object.assign(block, { type: "", kind: "list" });
  }
  return found;
}

/**
 * Which references name nothing. `ERR_…` is an error code and `"…"` a literal, both to be found in src; others are
 * exports, or members of exported types (`Client.kill`), and go through the compiler. A reference to another entry
 * point starts with its name: `testing/testConn`.
 */
async function missingReferences(dir: string, references: readonly string[]): Promise<Set<string>> {
  const missing = new Set<string>();
  const lines: string[] = [];
  const asked: string[] = [];
  for (const reference of new Set(references)) {
    const literal = /^ERR_\w+$/.test(reference) ? `"${reference}"` : /^".*"$/.exec(reference)?.[0];
    if (literal !== undefined) {
      if (!sources.includes(literal)) missing.add(reference);
      continue;
    }
    const [, entry, name, member] = /^(?:(\w+)\/)?(\w+)(?:\.(\w+))?(?:\(\))?$/.exec(reference) ?? [];
    assert.ok(name, `cannot read the reference ${reference}`);
    const file = JSON.stringify(join(root, "src", entry ?? "", "index.js"));
    const id = `r${lines.length}`;
    lines.push(
      member === undefined
        ? `export type { ${name} as ${id} } from ${file};`
        : `export type ${id} = import(${file}).${name}["${member}"];`,
    );
    asked.push(reference);
  }
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { typeRoots: [join(root, "node_modules/@types")] },
    include: [join(dir, "references.ts")],
  };
  await writeFile(join(dir, "tsconfig.json"), JSON.stringify(config));
  let complaints = await compile(dir, lines);
  // A generic type needs its parameters before one can ask for a member.
  for (const { line, text } of complaints.filter(({ code }) => code === "2314")) {
    const count = Number(/requires (\d+) type argument/.exec(text)?.[1]);
    lines[line] = lines[line]!.replace('["', `<${Array(count).fill("any")}>["`);
  }
  if (complaints.some(({ code }) => code === "2314")) complaints = await compile(dir, lines);
  for (const { line, code, text } of complaints) {
    // A module, export or property that is not there; a misspelt one.
    assert.ok(["2305", "2307", "2339", "2551", "2694", "2724"].includes(code), text);
    missing.add(asked[line]!);
  }
  return missing;
}

interface Complaint {
  /** From 0. */
  line: number;
  code: string;
  text: string;
}

async function compile(dir: string, lines: readonly string[]): Promise<Complaint[]> {
  await writeFile(join(dir, "references.ts"), lines.join("\n"));
  const tsc = join(root, "node_modules/.bin/tsc");
  const { stdout } = await run(tsc, ["-p", dir, "--pretty", "false"]).catch(
    (error: { stdout: string }) => error,
  );
  return stdout
    .split("\n")
    .filter((text) => text !== "" && !text.startsWith(" "))
    .map((text) => {
      const [, line, code] = /references\.ts\((\d+),\d+\): error TS(\d+):/.exec(text) ?? [];
      assert.ok(line && code, text);
      return { line: Number(line) - 1, code, text };
    });
}
