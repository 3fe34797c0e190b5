// yamux over unix sockets: drivers in TypeScript and Go on a Go server, and a driver in Go on servers in both. Each
// figure comes from a fresh driver process, after a warm-up.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compileFile } from "./compile.js";
import { alternate, type Row, row, type Subject, type Suite } from "./harness.js";

const run = promisify(execFile);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const peer = here("../go-fixtures/bin/yamuxpeer");
let programs = { driver: "", server: "" };
const rounds = 5;
const MIB = 1 << 20;

interface Kind {
  name: string;
  unit: string;
  amount: number;
  /** What one unit of the row is. */
  per: number;
  /** npm peers that get through it. */
  npm: readonly string[];
}

const kinds: readonly Kind[] = [
  { name: "up", unit: "MiB/s", amount: 100 * MIB, per: MIB, npm: ["libp2p"] },
  { name: "down", unit: "MiB/s", amount: 100 * MIB, per: MIB, npm: ["libp2p"] },
  { name: "rtt", unit: "round trips/s", amount: 20_000, per: 1, npm: ["libp2p", "yamux-js"] },
  { name: "messages", unit: "messages/s", amount: 200_000, per: 1, npm: ["libp2p", "yamux-js"] },
  { name: "open_close", unit: "streams/s", amount: 20_000, per: 1, npm: ["libp2p"] },
  { name: "open_close32", unit: "streams/s", amount: 64_000, per: 1, npm: ["libp2p"] },
];

async function start(command: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout!, "data");
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  child.stdin!.end();
  if (child.exitCode === null) await once(child, "exit");
}

const node =
  (implementation: string, { name, amount, per }: Kind, path: string): Subject =>
  async () => {
    const args = [programs.driver, implementation, name, String(amount), path];
    return Number((await run(process.execPath, args)).stdout) / per;
  };

const go =
  ({ name, amount, per }: Kind, path: string): Subject =>
  async () =>
    Number((await run(peer, ["bench", "-quiet", "-address", path, name, String(amount)])).stdout) / per;

async function measure(kind: Kind, wanted: (row: string) => boolean, goServer: string, tsServer: string) {
  const rows: Row[] = [];
  const add = (name: string, value: number, other: string, peerValue: number, floor = 1): void => {
    if (wanted(name)) rows.push(row(name, kind.unit, "higher", value, other, peerValue, floor));
  };
  const name = `yamux.${kind.name}`;
  const npm = kind.npm.filter((other) => wanted(`${name}.${other}`));
  if (wanted(name) || npm.length > 0 || wanted(`${name}.streams`)) {
    const subjects: Record<string, Subject> = {
      goplug: node("goplug", kind, goServer),
      go: go(kind, goServer),
    };
    if (wanted(`${name}.streams`)) subjects.streams = node("streams", kind, goServer);
    for (const other of npm) subjects[other] = node(other, kind, goServer);
    const figures = await alternate(rounds, subjects);
    add(name, figures.goplug!, "Go yamux", figures.go!);
    if (figures.streams !== undefined) add(`${name}.streams`, figures.streams, "Go yamux", figures.go!, 0.9);
    for (const other of npm)
      add(
        `${name}.${other}`,
        figures.goplug!,
        other === "libp2p" ? "@chainsafe/libp2p-yamux" : other,
        figures[other]!,
      );
  }
  const server = `yamux.server.${kind.name}`;
  if (wanted(server)) {
    const figures = await alternate(rounds, { goplug: go(kind, tsServer), go: go(kind, goServer) });
    add(server, figures.goplug, "Go yamux", figures.go);
  }
  return rows;
}

export const suite: Suite = {
  name: "yamux",
  async run(wanted) {
    const names = kinds.flatMap(({ name, npm }) => [
      `yamux.${name}`,
      `yamux.${name}.streams`,
      `yamux.server.${name}`,
      ...npm.map((other) => `yamux.${name}.${other}`),
    ]);
    if (!names.some(wanted)) return [];
    if (!existsSync(peer)) {
      process.stderr.write("yamux: skipped, go-fixtures/bin/yamuxpeer is not built\n");
      return [];
    }
    const folder = mkdtempSync(join(tmpdir(), "goplug-bench-"));
    const servers: ChildProcess[] = [];
    programs = {
      driver: await compileFile(here("yamux/driver.ts")),
      server: await compileFile(here("yamux/server.ts")),
    };
    try {
      const [goServer, tsServer] = [join(folder, "go"), join(folder, "ts")];
      servers.push(await start(peer, ["serve", "-quiet", "-address", goServer]));
      servers.push(await start(process.execPath, [programs.server, tsServer]));
      const rows: Row[] = [];
      for (const kind of kinds) rows.push(...(await measure(kind, wanted, goServer, tsServer)));
      return rows;
    } finally {
      await Promise.all(servers.map(stop));
      for (const made of [folder, ...Object.values(programs)]) rmSync(made, { recursive: true, force: true });
    }
  },
};
