import { mkdtempSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** {@link bundleFile} for an example's plugin. */
export function bundle(example: string): Promise<string> {
  return bundleFile(fileURLToPath(new URL(`../../examples/${example}/plugin.ts`, import.meta.url)));
}

/** Bundles a plugin into a folder of its own, as one would ship it, and gives the file to start. */
export async function bundleFile(plugin: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "bundle-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await build({
    entryPoints: { plugin },
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
