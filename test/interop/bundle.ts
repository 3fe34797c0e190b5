import { mkdtempSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Bundles an example's plugin into a folder of its own, as one would ship it, and gives the file to start. */
export async function bundle(example: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "bundle-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await build({
    entryPoints: [fileURLToPath(new URL(`../../examples/${example}/plugin.ts`, import.meta.url))],
    outdir: folder,
    bundle: true,
    // In one file the import of grpc-js, which this plugin has no use for, would come first.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    outExtension: { ".js": ".mjs" },
    external: ["@grpc/grpc-js"],
    logLevel: "error",
  });
  const file = join(folder, "plugin.mjs");
  await chmod(file, 0o755);
  return file;
}
