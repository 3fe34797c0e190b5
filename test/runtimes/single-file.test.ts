// A plugin as one executable, made as examples/single-file says, and started by a Go host.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { binary } from "../interop/case.js";
import { root, runtimePath } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "goplug-single-"));
after(() => rmSync(folder, { recursive: true }));

for (const kind of ["sea", "bun"]) {
  test(`a plugin made with ${kind}`, () => {
    const bun = runtimePath("bun");
    const env = { ...process.env, PATH: `${bun}${delimiter}${process.env.PATH}` };
    const plugin = join(folder, kind);
    execFileSync("bash", ["examples/single-file/build.sh", kind, plugin], { cwd: root, env, stdio: "pipe" });
    execFileSync(binary("host-check"), ["-case", "greeter,kill-graceful", "--", plugin], { stdio: "pipe" });
  });
}
