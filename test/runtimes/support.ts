// What the tests of this folder fetch and pack.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Fetches what scripts/runtime.sh knows under a name, and says where it is. */
export const runtimePath = (name: string): string =>
  execFileSync("bash", ["scripts/runtime.sh", name], { cwd: root, encoding: "utf8" }).trim();

/** Packs goplug as `npm publish` would; the tarball's path. */
export function pack(folder: string): string {
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  ) as [{ filename: string }];
  return join(folder, packed.filename);
}

/** Makes a project have the packed goplug, without its dependencies. */
export function unpack(tarball: string, project: string): void {
  const goplug = join(project, "node_modules/goplug");
  mkdirSync(goplug, { recursive: true });
  execFileSync("tar", ["xzf", tarball, "-C", goplug, "--strip-components=1"]);
}
