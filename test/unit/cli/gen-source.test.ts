// What `goplug gen` says of Go source and executables; the definitions themselves are held against Go in test/interop.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Contract } from "../../../src/cli/gen/contract.js";
import { needs } from "../../support.js";
import { goplug } from "./run-cli.js";

// Go is there where the fixtures are.
const withGo = needs("greeter-netrpc");
const folder = mkdtempSync(join(tmpdir(), "source-"));
after(() => rmSync(folder, { recursive: true }));

let number = 0;
/** A Go module with one package. */
function module(source: string, version = "1.22"): string {
  const dir = join(folder, `module-${number++}`);
  mkdirSync(dir);
  writeFileSync(join(dir, "go.mod"), `module example.com/m\n\ngo ${version}\n`);
  writeFileSync(join(dir, "m.go"), source);
  return dir;
}

function refuses(args: readonly string[], line: RegExp): void {
  const out = join(folder, `out-${number++}.ts`);
  const ran = goplug(["gen", ...args, "--out", out]);
  assert.match(ran.err, line);
  assert.equal(ran.err.trimEnd().split("\n").length, 1, ran.err);
  assert.equal(ran.code, 2);
  assert(!existsSync(out));
}

function contractOf(dir: string, ...args: string[]): Contract {
  const file = join(folder, `contract-${number++}.json`);
  const ran = goplug(["gen", "-C", dir, ".", ...args, "--contract", file]);
  assert.equal(ran.code, 0, ran.err);
  return JSON.parse(readFileSync(file, "utf8")) as Contract;
}

test("Go source that cannot be read is one line that names the place", withGo, () => {
  const broken = module("package m\n\nfunc f() int { return nothing }\n");
  refuses(["-C", broken, "."], /m\.go:3:\d+: undefined: nothing/);
  refuses(["-C", module("package m\n\nfunc {\n"), "."], /m\.go:3:\d+: .*expected/);
  refuses(["-C", broken, "example.com/nowhere/at/all"], /example\.com\/nowhere/);
  refuses(["-C", broken, "./missing"], /missing/);
  refuses(["-C", join(folder, "nowhere"), "."], /nowhere/);
  refuses(["-C", broken], /name at least one Go package/);
});

test("a package without receivers, and a receiver that is not there, are said", withGo, () => {
  const nothing = module("package m\n\ntype T struct{}\n\nfunc (T) Plain(int) error { return nil }\n");
  refuses(["-C", nothing, "."], /no type of example\.com\/m has methods that net\/rpc would serve/);
  refuses(["-C", nothing, ".", "--receiver", "T"], /no receiver T/);
  const one = module(
    "package m\n\ntype Server struct{}\n\nfunc (*Server) Do(int, *int) error { return nil }\n",
  );
  refuses(["-C", one, ".", "--receiver", "Other"], /no receiver Other; there are Server/);
});

test("what gob cannot send is said with its method, its field and the reason", withGo, () => {
  const source = (type: string): string =>
    `package m\n\nimport "sync"\n\ntype A struct{ In Inner }\ntype Inner struct{ Field ${type} }\ntype S struct{}\n\nvar _ sync.Mutex\n\nfunc (*S) Do(A, *int) error { return nil }\n`;
  const cases: [string, RegExp][] = [
    ["[]chan int", /S\.Do: the argument: .*Field: gob cannot send a chan/],
    ["map[string]func()", /gob cannot send a func/],
    ["sync.Mutex", /sync\.Mutex: it has no exported fields/],
    ["chan int", /Inner: it has no exported fields/],
    ["[2]uintptr\n\tDone chan int", /^goplug gen: .*: 1 receiver/],
  ];
  for (const [type, line] of cases.slice(0, -1)) refuses(["-C", module(source(type)), "."], line);
  assert.equal(contractOf(module(source(cases.at(-1)![0]))).services.length, 1);
});

test("modules of an older language version are read, too", withGo, () => {
  const old = module(
    "package m\n\ntype Server struct{}\n\nfunc (*Server) Do(in interface{}, out *[]byte) error { return nil }\n",
    "1.13",
  );
  assert.deepEqual(
    contractOf(old).services.map(({ name, methods }) => [name, methods.map((m) => [m.name, m.arg, m.reply])]),
    [["Server", [["Do", "any", { slice: "uint8" }]]]],
  );
});

test("a registration that cannot be told is a warning, not a gap", withGo, () => {
  const dir = module(`package m

import "encoding/gob"

type Server struct{}

func (*Server) Do(any, *int) error { return nil }

func Register(name string, of any) {
	gob.Register(of)
	gob.RegisterName(name, 5)
}
`);
  const { warnings } = contractOf(dir);
  assert.equal(warnings?.length, 2);
  assert.match(warnings[0]!, /m\.go:9: what callers elsewhere have Register register is not known/);
  assert.match(warnings[1]!, /m\.go:11: cannot tell the name that is registered here/);
});

test("receivers are what is served: instances, other packages' types, no helpers within", withGo, () => {
  const dir = module(`package m

import (
	"errors"

	"example.com/m/go-plugin"
	"example.com/m/other"
)

type base struct{}

func (*base) Promoted(string, *string) error { return nil }

type Server[T any] struct{ base }

// Do does.
func (*Server[T]) Do(T, *map[string]T) error { return nil }

type Entry struct{ Key string }

type Entries struct{}

func (Entries) Server(*plugin.MuxBroker) (any, error) { return &Server[*Entry]{}, nil }

type Elsewhere struct{}

func (*Elsewhere) Server(*plugin.MuxBroker) (any, error) { return new(other.Server), nil }

type Generic[T any] struct{}

func (Generic[T]) Server(*plugin.MuxBroker) (any, error) { return &Server[T]{}, nil }

type Hidden struct{ impl any }

func (h Hidden) Server(*plugin.MuxBroker) (any, error) { return h.impl, nil }

type GRPCOnly struct{}

func (GRPCOnly) Server(*plugin.MuxBroker) (any, error) { return nil, errors.New("gRPC only") }
`);
  for (const [path, text] of [
    ["go-plugin", "package plugin\n\ntype MuxBroker struct{}\n"],
    [
      "other",
      "package other\n\ntype Server struct{}\n\nfunc (*Server) Ask(int, *int) error { return nil }\n",
    ],
  ] as const) {
    mkdirSync(join(dir, path));
    writeFileSync(join(dir, path, "m.go"), text);
  }
  const { services, plugins, warnings } = contractOf(dir);
  assert.deepEqual(
    services.map(({ type, name, methods }) => [type, name, ...methods.map((m) => m.name)]),
    [
      ["example.com/m.Server[*example.com/m.Entry]", "ServerOfEntry", "Promoted", "Do"],
      ["example.com/m/other.Server", "Server", "Ask"],
    ],
  );
  assert.equal(services[0]!.methods[1]!.doc, "Do does.");
  assert.deepEqual(
    plugins.map(({ name, service }) => [name, service]),
    [
      ["Elsewhere", "example.com/m/other.Server"],
      ["Entries", "example.com/m.Server[*example.com/m.Entry]"],
      ["GRPCOnly", undefined],
      ["Generic", undefined],
      ["Hidden", undefined],
    ],
  );
  assert.deepEqual(warnings?.toSorted(), [
    "example.com/m: cannot tell which receiver the plugin type Generic serves",
    "example.com/m: cannot tell which receiver the plugin type Hidden serves",
  ]);
  assert.equal(contractOf(dir, "--receiver", "base").services.length, 1);
});

test("an executable that does not tell is said to be such a one", withGo, () => {
  const program = module("package main\n\nfunc main() {}\n");
  const build = (out: string, ...args: string[]): string => {
    const path = join(folder, out);
    const ran = spawnSync("go", ["build", ...args, "-o", path, "."], { cwd: program, encoding: "utf8" });
    assert.equal(ran.status, 0, ran.stderr);
    return path;
  };
  refuses(
    ["-C", program, "--binary", build("stripped", "-ldflags=-s -w")],
    /has no debug information .*-s or -w/,
  );
  refuses(["-C", program, "--binary", build("plain")], /no type in the executable has methods/);
  refuses(["-C", program, "--binary", process.execPath], /is not a Go executable/);
  refuses(["-C", program, "--binary", join(folder, "nowhere")], /nowhere/);
});

test("the same source gives the same contract and file to the byte", withGo, () => {
  const module = fileURLToPath(new URL("../../../go-fixtures", import.meta.url));
  const [one, two] = [1, 2].map(() => {
    const [out, contract] = [join(folder, `same-${number++}.ts`), join(folder, `same-${number++}.json`)];
    const ran = goplug(["gen", "-C", module, "./shared/bazaar", "--out", out, "--contract", contract]);
    assert.equal(ran.code, 0, ran.err);
    return [readFileSync(out, "utf8"), readFileSync(contract, "utf8")];
  });
  assert.deepEqual(one, two);
});
