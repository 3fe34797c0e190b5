import { mkdtempSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";

/** {@link bundleFile} for an example's plugin. */
export function bundle(example: string): Promise<string> {
  return bundleFile(fileURLToPath(new URL(`../../examples/${example}/plugin.ts`, import.meta.url)));
}

/**
 * Bundles a plugin into one file in a folder of its own, as one would ship it, an ES module unless another format is asked
 * for, and gives the file to start. The folder stays until this process ends.
 */
export async function bundleFile(plugin: string, options: BuildOptions = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "shared-bundle-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, options.format === "cjs" ? "plugin.cjs" : "plugin.mjs");
  await build({
    format: "esm",
    ...options,
    entryPoints: [plugin],
    outfile: file,
    bundle: true,
    platform: "node",
    target: "node20.19",
    // Only some need it, and they find no copy of it from here.
    external: ["@grpc/grpc-js"],
    logLevel: "error",
  });
  await chmod(file, 0o755);
  return file;
}
