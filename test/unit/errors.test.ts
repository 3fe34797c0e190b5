import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { badOption, GoplugError } from "../../src/errors.js";
import { StartError } from "../../src/host/errors.js";

// What users catch: classes that an entry of the package exports, each with a stable code.

const src = fileURLToPath(new URL("../../src", import.meta.url));
const entries = ["index.ts", "yamux/index.ts", "gob/index.ts", "netrpc/index.ts", "testing/index.ts"];
const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.includes("/gen/"))
  .map((name) => ({ name, text: readFileSync(join(src, name), "utf8") }));
const entryText = files.filter(({ name }) => entries.includes(name)).map(({ text }) => text);

/** Errors that users get as the cause of another one, and so have no need to tell apart. */
const causesOnly = /^http2\//;

function matches(pattern: RegExp): { name: string; match: RegExpMatchArray }[] {
  return files.flatMap(({ name, text }) => [...text.matchAll(pattern)].map((match) => ({ name, match })));
}

function isCaught({ name }: { readonly name: string }): boolean {
  return !causesOnly.test(name);
}

async function importAll(names: readonly string[]): Promise<Set<unknown>> {
  const modules = await Promise.all(names.map((name) => import(join(src, name)) as Promise<object>));
  return new Set(modules.flatMap((module) => Object.values(module)));
}

describe("errors", () => {
  test("every class of errors is exported by an entry, under the name that its errors have", async () => {
    const found = matches(/^export class (\w+Error) extends (\w+Error)\b/gm).filter(isCaught);
    assert(found.length >= 25, `found only ${found.length}`);
    const exported = await importAll(entries);
    for (const { name, match } of found) {
      const [, className] = match;
      const loaded = (await import(join(src, name))) as Record<string, typeof GoplugError>;
      const found = loaded[className!]!;
      assert(found.prototype instanceof GoplugError || found === GoplugError, className);
      assert(exported.has(found), `${className} of ${name} is exported by no entry`);
      const text = files.find((file) => file.name === name)!.text;
      assert.match(text, new RegExp(`override readonly name(: string)? = "${className}"`));
    }
  });

  test("every type of codes is exported by an entry", () => {
    const found = matches(/^export type (\w+ErrorCode) =/gm).filter(isCaught);
    assert(found.length >= 9, `found only ${found.length}`);
    for (const { match } of found) {
      assert(
        entryText.some((text) => new RegExp(`\\b${match[1]}\\b`).test(text)),
        `${match[1]} is exported by no entry`,
      );
    }
  });

  test("nothing is thrown without a code but where it is caught again", () => {
    const caughtAgain = [
      // Inside custom types of gob: what they throw is the cause of an ERR_GOB_MARSHALER.
      /^gob\//,
      // Texts of answers over the wire.
      /^plugin\/net-rpc-server\.ts$/,
      // Why a value cannot be logged as JSON, which is logged in its stead.
      /^hclog\/json-logger\.ts$/,
      // A status of grpc-js's own shape, as its clients give it.
      /^grpc\/protobuf-client\.ts$/,
      /^grpc\/transport\/(?:own-channel|direct-client)\.ts$/,
      // Logged.
      /^process\/host-end\/watchdog\.ts$/,
      // The state of a channel, which becomes a GrpcConnectError.
      /^grpc\/(?:grpc-js-connection|transport\/transport)\.ts$/,
    ];
    const bare = matches(/new (?:Type|Range|Syntax)?Error\(/g)
      .map(({ name }) => name)
      .filter((name) => !caughtAgain.some((pattern) => pattern.test(name)));
    assert.deepEqual(bare, []);
  });
});

test("a wrong option is named, with what it wants and what it got, however strange that is", () => {
  for (const [given, shown] of [
    ["x".repeat(200), `"${"x".repeat(100)}…"`],
    [5n, "5n"],
    [Symbol("s"), "a symbol"],
    [() => {}, "a function"],
    [null, "null"],
    [[1], "an array"],
    [Object.create(null), "an object"],
    [undefined, "undefined"],
    [NaN, "NaN"],
  ] as const) {
    const error = badOption("reattach.pid", "a process id", given);
    assert.equal(error.message, `reattach.pid must be a process id, not ${shown}`);
    assert.deepEqual([error.code, error.name, error.option], ["ERR_OPTION", "OptionError", "reattach.pid"]);
  }
});

test("what a plugin wrote to stderr goes on the message's sentence", () => {
  const message = "the cookie is not the plugin's own; the end of its stderr:\nno cookie";
  assert.equal(
    new StartError("ERR_START_EXITED", "the cookie is not the plugin's own.", "no cookie\n").message,
    message,
  );
});
