import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { after, before, test } from "node:test";
import { discover } from "../../../src/host/discover.js";

let dir: string;

before(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), "goplug-discover-")));
  for (const folder of ["v1", "v2", "v2/deeper", "weird[1]"]) await mkdir(join(dir, folder));
  for (const file of [
    "provider-b",
    "provider-a",
    "provider-é",
    "Provider-c",
    "other",
    ".provider-hidden",
    "v1/provider-x",
    "v2/provider-y",
    "v2/deeper/provider-z",
    "weird[1]/provider-w",
  ]) {
    await writeFile(join(dir, file), "");
  }
  await mkdir(join(dir, "provider-folder"));
  await chmod(join(dir, "provider-a"), 0o755);
});
after(() => rm(dir, { recursive: true }));

async function found(glob: string, where = dir): Promise<string[]> {
  const paths = await discover(glob, where);
  return paths.map((path) => {
    assert.ok(path.startsWith(dir), `${path} is absolute`);
    return path.slice(dir.length + 1).replaceAll(sep, "/");
  });
}

test("what matches, sorted, absolute; executable or not, folders too; nothing of the folders beneath", async () => {
  assert.deepEqual(await found("provider-*"), ["provider-a", "provider-b", "provider-folder", "provider-é"]);
  assert.deepEqual(await found("[pP]rovider-[a-c]"), ["Provider-c", "provider-a", "provider-b"]);
  assert.deepEqual(await found("*hidden"), [".provider-hidden"]);
  assert.deepEqual(await found("**"), await found("*"));
  assert.deepEqual(await found("nothing-*"), []);
});

test("a directory relative to the current one", async () => {
  assert.deepEqual(await found("provider-a", relative(process.cwd(), dir)), ["provider-a"]);
});

test("a pattern without wildcards is a file that is there or not", async () => {
  assert.deepEqual(await found("other"), ["other"]);
  assert.deepEqual(await found("./v1//provider-x"), ["v1/provider-x"]);
  assert.deepEqual(await found("another"), []);
  assert.deepEqual(await found("other/below"), []);
});

test("folders in the pattern are followed, each by its own part", async () => {
  assert.deepEqual(await found("*/provider-*"), ["v1/provider-x", "v2/provider-y", "weird[1]/provider-w"]);
  assert.deepEqual(await found("v?/*/provider-*"), ["v2/deeper/provider-z"]);
  assert.deepEqual(await found("v*/provider-x"), ["v1/provider-x"]);
  assert.deepEqual(await found("../provider-[ab]", join(dir, "v1")), ["provider-a", "provider-b"]);
  assert.deepEqual(await found("/provider-a"), ["provider-a"]);
});

test("the directory's own name is no pattern", async () => {
  assert.deepEqual(await found("provider-*", join(dir, "weird[1]")), ["weird[1]/provider-w"]);
});

test("a directory that is missing, or is none, holds nothing", async () => {
  assert.deepEqual(await discover("*", join(dir, "absent")), []);
  assert.deepEqual(await discover("*", join(dir, "other")), []);
});

test("links count, also when they lead nowhere", { skip: process.platform === "win32" }, async () => {
  const links = join(dir, "links");
  await mkdir(links);
  await symlink(join(dir, "provider-a"), join(links, "good"));
  await symlink(join(dir, "absent"), join(links, "dangling"));
  assert.deepEqual(await found("*", links), ["links/dangling", "links/good"]);
  assert.deepEqual(await found("dangling", links), ["links/dangling"]);
});

test("a broken pattern is refused, even where there is nothing to match", async () => {
  for (const glob of ["[", "a[", "v1/[", "[a/b]", "["]) {
    await assert.rejects(discover(glob, join(dir, "absent")), { name: "BadPatternError" }, glob);
  }
});
