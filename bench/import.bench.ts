// What importing the generated definitions of a large contract costs above goplug itself.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { alternate, row, type Suite } from "./harness.js";

const ROUNDS = 15;
/** Milliseconds that the import of Mattermost's whole surface may take. */
const LIMIT = 60;
const root = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);
const name = "import.mattermost";

const program = `
await import("goplug");
const start = performance.now();
await import("./definitions.mjs");
console.log(performance.now() - start);
`;

export const suite: Suite = {
  name: "import: generated definitions, above goplug's own",
  async run(wanted) {
    if (!wanted(name)) return [];
    // Inside of the package, where its own name resolves to it.
    const folder = mkdtempSync(join(root, "bench/types-"));
    try {
      await build({
        entryPoints: [join(root, "examples/mattermost/gen/definitions.ts")],
        outfile: join(folder, "definitions.mjs"),
        format: "esm",
      });
      const imported = async (): Promise<number> => {
        const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], {
          cwd: folder,
        });
        return Number(stdout);
      };
      const { goplug } = await alternate(ROUNDS, { goplug: imported });
      return [row(name, "ms", "lower", goplug, "limit", LIMIT)];
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
