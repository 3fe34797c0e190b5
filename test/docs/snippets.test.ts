// The TypeScript and JavaScript of README and docs compiles against the built package, as a reader's would.
// What is a whole program there is run, too: test/interop/docs.cases.ts.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
// Inside of the package, where its own name resolves to it.
const folder = mkdtempSync(join(root, "test/docs/snippets-"));
after(() => rmSync(folder, { recursive: true }));

/** The code that readers of a page find in a language. */
function blocksOf(markdown: string, language: string): string[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((match) => match[1] === language)
    .map((match) => match[2]!);
}

/** The generated code that snippets import as the reader's own `./gen/…`. */
const generated = {
  "kv.ts": "examples/negotiated/gen/kv.ts",
  "kv_pb.ts": "examples/kv-grpc/gen/kv_pb.ts",
  "counter.ts": "test/interop/gen/counter.ts",
};

/** What a reader of JavaScript cannot run under the oldest Node that goplug supports. */
const tooNew = /\bawait using\b|\busing \w+ =/;

/**
 * One module of a document's blocks: imports first, once each; every block in a scope inside the one before, so that
 * it sees what the earlier ones declared and may declare it anew.
 */
function moduleOf(markdown: string, language: "ts" | "js"): string | undefined {
  const blocks = blocksOf(markdown, language);
  if (blocks.length === 0) return undefined;
  // What a snippet takes as given stands in a comment before it, which readers do not see.
  const given = [...markdown.matchAll(/^<!-- given: (.*) -->$/gm)].map((match) => `${match[1]}\n`);
  const imports = new Set<string>();
  const bodies = blocks.map((block) =>
    block
      .replace(/^import [^;]+;\n/gm, (line) => {
        imports.add(line);
        return "";
      })
      .replace(/^export (?=const|function|class|interface|type)/gm, ""),
  );
  const names = new Map<string, Set<string>>();
  const whole: string[] = [];
  for (const line of imports) {
    const match = /^import \{([^}]+)\} from (".+");\n$/.exec(line);
    if (match === null) whole.push(line);
    else {
      const known = names.get(match[2]!) ?? new Set();
      for (const name of match[1]!.split(",")) if (name.trim() !== "") known.add(name.trim());
      names.set(match[2]!, known);
    }
  }
  const merged = [...names].map(([from, known]) => `import { ${[...known].join(", ")} } from ${from};\n`);
  const top = [...merged, ...whole, ...given].join("");
  return `${top}${bodies.map((body) => `{\n${body}`).join("")}${"}".repeat(bodies.length)}\n`;
}

test("the snippets compile", async () => {
  const documents = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
  const written: string[] = [];
  for (const name of documents.filter((name) => name.endsWith(".md"))) {
    const markdown = readFileSync(join(root, name), "utf8");
    for (const block of blocksOf(markdown, "js")) assert.doesNotMatch(block, tooNew, name);
    // The guide's are whole files, which test/interop/guide.cases.ts compiles and runs.
    if (name === "docs/guide-plugins-in-typescript.md") continue;
    for (const language of ["ts", "js"] as const) {
      const text = moduleOf(markdown, language);
      if (text === undefined) continue;
      const file = `${name.replace("/", "-")}.${language}`;
      written.push(file);
      writeFileSync(join(folder, file), text);
    }
  }
  for (const file of ["README.md.ts", "README.md.js", "docs-grpc.md.ts"])
    assert(written.includes(file), file);
  mkdirSync(join(folder, "gen"));
  for (const [name, from] of Object.entries(generated)) cpSync(join(root, from), join(folder, "gen", name));
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false, allowJs: true, checkJs: true };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../../../tsconfig.json", compilerOptions, include: ["."] }),
  );
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
    execFile(process.execPath, [compiler, "-p", folder], (error, stdout) =>
      resolve({ code: error?.code ?? 0, output: stdout }),
    );
  });
  assert.equal(code, 0, output);
});
