// What `make demo` runs: each example's host with the Go plugin of the same service, or, without Go, with the
// TypeScript one; then a Go host with the TypeScript plugin.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const haveGo = existsSync(`${root}/go-fixtures/bin/greeter-netrpc`);
if (!haveGo) console.log("Go is not there (https://go.dev/dl): the plugins below are TypeScript ones.");

function run(command: string, args: string[]): void {
  console.log(`\n$ ${[command === process.execPath ? "node" : command, ...args].join(" ")}`);
  const env = { GOPLUG_LOG: "warn", ...process.env };
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit", env });
  if (status !== 0) process.exit(status ?? 1);
}

for (const [example, binary] of [
  ["greeter", "greeter-netrpc"],
  ["kv", "kv-netrpc"],
  ["counter", "counter-netrpc"],
  ["stdio", "stdio-netrpc"],
  ["kv-grpc", "kv-grpc"],
  ["negotiated", "versioned"],
]) {
  const typescript = [process.execPath, "--import", "tsx", `examples/${example}/plugin.ts`];
  const plugin = haveGo ? [`go-fixtures/bin/${binary}`] : typescript;
  run(process.execPath, ["--import", "tsx", `examples/${example}/host.ts`, ...plugin]);
}
if (haveGo) {
  console.log("\nAnd the other way round, a Go host that checks the TypeScript plugin:");
  run("go-fixtures/bin/host-check", [
    ...["-case", "greeter", "--", "node", "--import", "tsx", "examples/greeter/plugin.ts"],
  ]);
}
