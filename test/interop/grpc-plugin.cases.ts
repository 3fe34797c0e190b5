// Go hosts run the TypeScript fixture plugins over gRPC. What each check does stands in go-fixtures/hosts/host-check.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { byGrpcJs } from "./both-transports.js";
import { pluginCommand, pluginWithoutGrpcJs } from "./build-plugins.js";
import { binary, type Case, missingBinaries } from "./case.js";
import { runCheck } from "./host-check.js";

/** The fixture plugins by what host-check calls the plugin that a check is for. */
const plugins: Readonly<Record<string, string>> = {
  store: "kv-grpc",
  kv: "kv-grpc",
  counter: "counter-grpc",
  versioned: "versioned",
};

/** The same by protobuf-es, for processes that cannot find grpc-js. */
const withoutGrpcJs: Readonly<Record<string, string>> = {
  store: "kv-es",
  kv: "kv-es",
  counter: "counter-es",
};

/** Checks that need the plugin to be started in a certain way. */
const extraArguments: Readonly<Record<string, readonly string[]>> = { "grpc-tcp": ["--tcp"] };

/** At least so many checks there must be: the list comes from the binary itself. */
const fewest = 120;

export const cases: Case[] = listed();

function listed(): Case[] {
  if (missingBinaries(["host-check"]).length > 0) {
    return [{ name: "go->ts grpc checks", needs: ["host-check"], run: async () => {} }];
  }
  const lines = execFileSync(binary("host-check"), ["-list", "-protocol", "grpc"], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.split("\t"))
    .filter(([, , scope]) => scope !== "go");
  const complete: Case = {
    name: "go->ts grpc every check of host-check is in this matrix",
    async run() {
      assert.ok(lines.length >= fewest, `${lines.length} checks`);
      for (const [name, plugin] of lines) assert.ok(plugins[plugin!], `${name} is for ${plugin}`);
    },
  };
  const all = lines.flatMap(([name, plugin]) => {
    const bare = withoutGrpcJs[plugin!];
    const usual = plugins[plugin!]!;
    const variants = [
      check(name!, "", (...args) => pluginCommand(usual, ...args)),
      check(name!, byGrpcJs, (...args) => pluginCommand(usual, "--grpc-js", ...args)),
    ];
    if (bare !== undefined) {
      variants.push(check(name!, " without grpc-js", (...args) => pluginWithoutGrpcJs(bare, ...args)));
    }
    return variants;
  });
  return [...all, complete];
}

function check(
  name: string,
  variant: string,
  commandWith: (...args: string[]) => Promise<[string, ...string[]]>,
): Case {
  return {
    name: `go->ts grpc ${name.replace(/^grpc-/, "")}${variant}`,
    needs: ["host-check"],
    timeoutMs: 90_000,
    async run({ signal, bin }) {
      const command = await commandWith(...(extraArguments[name] ?? []));
      await runCheck(bin("host-check"), name, command, signal);
    },
  };
}
