/**
 * Set to the starter's path while a host is run under `goplug precompile`: the plugin then keeps what V8 has compiled when
 * it exits.
 */
export const RECORD = "GOPLUG_PRECOMPILE";

/** By this a starter is known. */
export const MADE_BY = "// Made by goplug precompile: ";

/** Bytes of the length of the source, which stands before it and before what V8 has compiled of it. */
const HEADER = 4;

/** The file that a starter runs: the plugin's source, and what V8 has compiled of it, if anything. */
export function pack(source: Buffer, compiled: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(source.length);
  return Buffer.concat([header, source, compiled]);
}

/** How much of what V8 has compiled is in such a file, in bytes. */
export function compiledSize(packed: Buffer): number {
  return packed.length - HEADER - packed.readUInt32LE();
}

/**
 * The program that is started in place of a plugin. It needs nothing but Node: V8 takes what it has compiled before if it is
 * of the same version and flags, and compiles the source as usual if not. Source and code lie in one file, as V8 compares no
 * more of a source than its length. There is no import() in it: a script that was compiled before has none in Node 20.
 *
 * @param plugin the name of the plugin's file, for stack traces
 * @param packed the name of the file beside it, as {@link pack} makes it
 */
export function starter(plugin: string, packed: string): string {
  return `#!/usr/bin/env node
${MADE_BY}starts ${comment(plugin)} with what V8 has compiled of it before.
"use strict";
const { isAscii } = require("node:buffer");
const { readFileSync, renameSync, writeFileSync } = require("node:fs");
const { wrap } = require("node:module");
const { join } = require("node:path");
const { Script } = require("node:vm");

const path = join(__dirname, ${JSON.stringify(packed)});
const bytes = readFileSync(path);
const end = ${HEADER} + bytes.readUInt32LE();
const source = bytes.subarray(${HEADER}, end);
const script = new Script(wrap(source.toString(isAscii(source) ? "latin1" : "utf8")), {
  filename: join(__dirname, ${JSON.stringify(plugin)}),
  cachedData: end < bytes.length ? bytes.subarray(end) : undefined,
});
if (process.env.${RECORD} === __filename) {
  process.on("exit", () => {
    const temporary = path + "." + process.pid + ".tmp";
    writeFileSync(temporary, Buffer.concat([bytes.subarray(0, end), script.createCachedData()]));
    renameSync(temporary, path);
  });
}
script.runInThisContext()(exports, require, module, __filename, __dirname);
`;
}

/** A file's name as it can stand in a line of comment. */
function comment(name: string): string {
  return JSON.stringify(name).slice(1, -1);
}
