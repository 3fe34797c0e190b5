// The TypeScript of README and docs compiles against the built package, as a reader's would.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
// Inside of the package, where its own name resolves to it.
const folder = mkdtempSync(join(root, "test/docs/snippets-"));
after(() => rmSync(folder, { recursive: true }));

/**
 * One module of a document's blocks: imports first, once each; every block in a scope inside the one before, so that
 * it sees what the earlier ones declared and may declare it anew.
 */
function moduleOf(markdown: string): string | undefined {
  const blocks = [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!);
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
  let count = 0;
  // grpc.md's snippets import the reader's own generated code: whole, they are examples/kv-grpc and negotiated.
  // The guide's are whole files, which test/interop compiles and runs.
  const elsewhere = ["docs/grpc.md", "docs/guide-plugins-in-typescript.md"];
  for (const name of documents.filter((name) => name.endsWith(".md") && !elsewhere.includes(name))) {
    const text = moduleOf(readFileSync(join(root, name), "utf8"));
    if (text === undefined) continue;
    count++;
    writeFileSync(join(folder, `${name.replace("/", "-")}.ts`), text);
  }
  assert(count > 3);
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false };
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
