// Go hosts run the TypeScript fixture plugins. What each check does stands in go-fixtures/hosts/host-check, and for
// the old hosts in go-fixtures/legacy/common.
import assert from "node:assert/strict";
import type { Case } from "./case.js";
import { hostCheckCase as check, runHostCheck as run } from "./host-check.js";

/** host-check's checks by the fixture plugin that they are run with. */
const checks = {
  greeter: [
    ...[
      "greeter",
      "ping",
      "dispense-100",
      "dispense-10000",
      "dispense-100-open",
      "bare-env",
      "managed",
      "automtls",
    ],
    ...["fault-hang-up", "fault-no-yamux", "fault-silent", "fault-one-stream", "fault-control-garbage"],
    ...["fault-broker-half-id", "fault-broker-no-id", "fault-broker-wrong-id", "fault-broker-silent-stream"],
    ...["fault-method-garbage", "fault-undialled"],
    ...["kill-graceful", "kill-at-once", "quit-twice", "reattach-kill", "sigint-ignored", "sigterm"],
    ...["cookie-missing", "cookie-wrong", "cookie-empty"],
    ...["handshake-line", "handshake-legacy-host", "handshake-versions", "handshake-no-common"],
    ...["handshake-bad-versions", "handshake-multiplex", "handshake-incompatible"],
    ...["socket-dir", "socket-group", "socket-dir-missing", "tcp", "stdio-early"],
  ],
  kv: [
    ...[
      "kv-empty",
      "kv-64B",
      "kv-1MiB",
      "kv-64MiB",
      "kv-missing-key",
      "kv-overwrite",
      "kv-surroundings",
      "kv-echo64k",
    ],
    ...["kv-inflight64", "kv-out-of-order", "dispense-shared", "logs", "conn-sequence", "conn-parallel"],
    ...["kill-in-call", "kill-blocked", "exit-in-call", "crash-in-call", "killed-in-call", "host-vanishes"],
  ],
  counter: [
    ...["counter-callback", "counter-plugin-serves", "counter-both-directions", "counter-nested"],
    ...["counter-colliding-ids", "counter-helper-error", "counter-nobody-accepts", "counter-nobody-dials"],
  ],
  stream: [
    "stream-source",
    "stream-sink",
    "stream-mirror",
    "stream-asked",
    "stream-asking",
    "stream-offer",
    "stream-16-at-once",
  ],
  errors: [
    ...["errors-text", "errors-basic", "errors-registered", "errors-unknown-plugin", "errors-factory"],
    ...[
      "errors-unknown-method",
      "errors-bad-argument",
      "errors-evolution",
      "errors-panic",
      "errors-bad-reply",
    ],
  ],
  stdio: [
    ...["stdio-stdout", "stdio-stderr", "stdio-both", "stdio-order", "stdio-text", "stdio-slow-host"],
    ...["stdio-at-exit"],
  ],
} as const;

/** Checks that need the plugin to be started in a certain way. */
const extraArguments: Readonly<Record<string, readonly string[]>> = { tcp: ["--tcp"] };

/** `vanish` is the half of `host-vanishes` that runs in a process of its own. */
const notRun = ["vanish"];

const hostCheck = Object.entries(checks).flatMap(([plugin, names]) =>
  names.map((name) => check("go->ts", "host-check", plugin, name, extraArguments[name])),
);

const completeness: Case = {
  name: "go->ts netrpc every check of host-check is in this matrix",
  needs: ["host-check"],
  async run({ signal, bin }) {
    const { output } = await run(bin("host-check"), ["-list"], signal);
    const listed = output
      .trim()
      .split("\n")
      .map((line) => line.split("\t"))
      .filter(([name, , scope]) => scope !== "go" && !notRun.includes(name!))
      .map(([name]) => name);
    assert.deepEqual(Object.values(checks).flat().sort(), listed.sort());
  },
};

const legacyChecks = [
  ...["greeter", "kv", "kv-missing-key", "kv-inflight64", "stdio", "unknown-plugin", "unknown-method"],
  ...["counter-callback", "counter-plugin-serves", "dispense-100", "ping", "kill-in-call"],
];
const legacy = ["v0", "v1.0", "v1.4"].flatMap((version) =>
  legacyChecks.map((name) =>
    check("go-legacy->ts", `legacy-${version}-host`, "all", name, [], ` ${version}`),
  ),
);

/** What happens at once, under a host that watches over its own memory. */
const concurrent = {
  kv: ["kv-inflight64", "conn-parallel", "kill-in-call"],
  counter: ["counter-both-directions", "counter-nested"],
  stream: ["stream-16-at-once"],
  stdio: ["stdio-both"],
  greeter: ["dispense-100-open"],
};
const race = Object.entries(concurrent).flatMap(([plugin, names]) =>
  names.map((name) => check("go->ts", "host-check-race", plugin, name, [], " (host with the race detector)")),
);

export const cases: Case[] = [...hostCheck, completeness, ...legacy, ...race];
