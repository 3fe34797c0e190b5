// How long the TypeScript compiler takes to check large contracts: a made one that its limit speaks of, and Mattermost's,
// generated, with 847 types.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { alternate, type Row, row, type Suite } from "./harness.js";
import { contract } from "./types/contract.js";

const ROUNDS = 5;
const STRUCTS = 200;
/** Milliseconds that the made contract may take. */
const LIMIT = 2000;
const root = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);

export const suite: Suite = {
  name: "types: tsc on large contracts",
  async run(wanted) {
    if (!wanted("types.contract") && !wanted("types.mattermost")) return [];
    // Inside of the package, where its own name resolves to it.
    const folder = mkdtempSync(join(root, "bench/types-"));
    /** The milliseconds of a check, from the compiler's launch to its end; throws when the file has errors. */
    const check = (file: string) => async (): Promise<number> => {
      const config = join(folder, "tsconfig.json");
      writeFileSync(config, JSON.stringify({ extends: "../../tsconfig.json", include: [], files: [file] }));
      const start = performance.now();
      await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", config]);
      return performance.now() - start;
    };
    const rows: Row[] = [];
    try {
      writeFileSync(join(folder, "contract.ts"), contract(STRUCTS));
      writeFileSync(
        join(folder, "small.ts"),
        'import { gob } from "goplug";\nexport const small = gob.struct({ A: gob.int });\n',
      );
      if (wanted("types.contract")) {
        const { goplug } = await alternate(ROUNDS, { goplug: check("contract.ts") });
        rows.push(row("types.contract", "ms", "lower", goplug, "limit", LIMIT));
      }
      if (wanted("types.mattermost")) {
        const { goplug, small } = await alternate(ROUNDS, {
          goplug: check("../../examples/mattermost/gen/definitions.ts"),
          small: check("small.ts"),
        });
        rows.push(row("types.mattermost", "ms", "lower", goplug, "tsc with one struct", small));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    return rows;
  },
};
