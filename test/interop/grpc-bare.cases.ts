// Hosts that speak gRPC with protobuf-es's clients where @grpc/grpc-js cannot be found. (Plugins: grpc-plugin.cases.ts.)
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pluginWithoutGrpcJs } from "./build-plugins.js";
import type { Case, CaseContext } from "./case.js";
import { variants } from "./grpc-support.js";

const file = (name: string): string => fileURLToPath(new URL(`without-grpc-js/${name}`, import.meta.url));
const hide = new URL("without-grpc-js/hide.mjs", import.meta.url).href;

type Commands = (context: CaseContext) => Promise<(readonly string[])[]>;

const sides: readonly (readonly [pair: string, needs: string[], commands: Commands])[] = [
  ["ts->go", ["kv-grpc", "counter-grpc"], async ({ bin }) => [[bin("kv-grpc")], [bin("counter-grpc")]]],
  ["ts->ts", [], () => Promise.all([pluginWithoutGrpcJs("kv-es"), pluginWithoutGrpcJs("counter-es")])],
];

export const cases: Case[] = sides.flatMap(([pair, needs, commands]) =>
  variants
    .filter(({ config }) => config.grpcTransport === undefined)
    .map(({ name, config }) => ({
      name: `${pair} grpc everything without grpc-js${name}`,
      needs,
      async run(context) {
        const given = [config, ...(await commands(context))].map((value) => JSON.stringify(value));
        const args = ["--import", "tsx", "--import", hide, file("host.program.ts"), ...given];
        const { signal } = context;
        const { stdout } = await promisify(execFile)(process.execPath, args, { signal });
        assert.equal(stdout, "done\n");
      },
    })),
);
