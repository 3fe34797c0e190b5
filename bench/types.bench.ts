// How long the TypeScript compiler takes to check a large contract: Mattermost's, generated, with 847 types.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { alternate, row, type Suite } from "./harness.js";

const rounds = 5;
const root = fileURLToPath(new URL("..", import.meta.url));

export const suite: Suite = {
  name: "types: checking a large contract",
  async run(wanted) {
    if (!wanted("types.mattermost")) return [];
    // Inside of the package, where its own name resolves to it.
    const folder = mkdtempSync(join(root, "bench/types-"));
    try {
      writeFileSync(
        join(folder, "small.ts"),
        'import { gob } from "goplug";\nexport const small = gob.struct({ A: gob.int });\n',
      );
      const check = (file: string) => {
        const config = join(folder, "tsconfig.json");
        writeFileSync(config, JSON.stringify({ extends: "../../tsconfig.json", include: [], files: [file] }));
        return promisify(execFile)(process.execPath, [
          join(root, "node_modules/typescript/bin/tsc"),
          "-p",
          config,
        ]);
      };
      const timed = (file: string) => async (): Promise<number> => {
        const start = performance.now();
        await check(file);
        return performance.now() - start;
      };
      const { goplug, small } = await alternate(rounds, {
        goplug: timed("../../examples/mattermost/gen/definitions.ts"),
        small: timed("small.ts"),
      });
      return [row("types.mattermost", "ms", "lower", goplug, "tsc with one struct", small)];
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
