// What `make demo` runs: each example's host, with the Go plugin of the same service.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

for (const [example, binary] of [
  ["greeter", "greeter-netrpc"],
  ["kv", "kv-netrpc"],
] as const) {
  const plugin = `go-fixtures/bin/${binary}`;
  if (!existsSync(`${root}/${plugin}`)) {
    console.error(`${plugin} is not there: the demo needs Go (https://go.dev/dl) to build a real Go plugin`);
    process.exit(1);
  }
  console.log(`\n$ examples/${example}/host.ts ${plugin}`);
  const run = spawnSync(process.execPath, ["--import", "tsx", `examples/${example}/host.ts`, plugin], {
    cwd: root,
    stdio: "inherit",
    env: { GOPLUG_LOG: "warn", ...process.env },
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
}
