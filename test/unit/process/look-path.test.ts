// Which file a command names, by Go's rules of each system (os/exec, lp_unix.go and lp_windows.go).
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isBareName, lookPath } from "../../../src/process/look-path.js";

const withFiles =
  (...files: string[]) =>
  (file: string): boolean =>
    files.includes(file);

describe("on POSIX systems", () => {
  const options = { platform: "darwin", path: "/a:/b", cwd: "/home" } as const;

  test("a name is the first executable of the folders in PATH, and has no other extension", () => {
    assert.equal(lookPath("plugin", { ...options, isExecutable: withFiles("/b/plugin") }), "/b/plugin");
    assert.throws(() => lookPath("plugin", { ...options, isExecutable: withFiles("/a/plugin.exe") }), {
      code: "ERR_PLUGIN_NOT_FOUND",
      message: "cannot start plugin plugin: there is no such executable in PATH (/a:/b)",
    });
  });

  test("an empty entry means the current directory, which nobody meant", () => {
    assert.throws(() => lookPath("plugin", { ...options, path: ":/b", isExecutable: withFiles("plugin") }), {
      code: "ERR_PLUGIN_NOT_FOUND",
      message: /relative to the current directory only \(""\)/,
    });
  });

  test("a path is taken as it is, from the working directory", () => {
    assert.equal(lookPath("./plugin", options), "/home/plugin");
    assert.equal(lookPath("/x/plugin", options), "/x/plugin");
    assert.equal(isBareName("C:\\x", "linux"), true);
  });
});

describe("on Windows", () => {
  const options = {
    platform: "win32",
    path: 'C:\\a;;"C:\\with;semicolon";C:\\b',
    pathExt: ".COM;.EXE;.BAT;.CMD;.JS",
    cwd: "C:\\work",
  } as const;

  test("a name gets the extensions of PATHEXT, in each folder; without one it is nothing to start", () => {
    const files = ["C:\\a\\tsx", "C:\\b\\tsx.cmd"];
    assert.equal(lookPath("tsx", { ...options, isExecutable: withFiles(...files) }), "C:\\b\\tsx.cmd");
    const both = withFiles("C:\\a\\tool.exe", "C:\\a\\tool.com");
    assert.equal(lookPath("tool", { ...options, isExecutable: both }), "C:\\a\\tool.com");
  });

  test("a name with an extension is looked for as it is, and then with another behind it", () => {
    assert.equal(lookPath("a.exe", { ...options, isExecutable: withFiles("C:\\b\\a.exe") }), "C:\\b\\a.exe");
    assert.equal(
      lookPath("foo.bar", { ...options, isExecutable: withFiles("C:\\b\\foo.bar.exe") }),
      "C:\\b\\foo.bar.exe",
    );
  });

  test("folders in quotes may have a semicolon, and empty entries mean nothing", () => {
    const isExecutable = withFiles("C:\\with;semicolon\\a.exe", "a.exe");
    assert.equal(lookPath("a", { ...options, isExecutable }), "C:\\with;semicolon\\a.exe");
  });

  test("paths may lack the extension, too; one that is nowhere stays as it is", () => {
    const isExecutable = withFiles("C:\\work\\greeter.exe");
    for (const command of [".\\greeter", "./greeter", "C:\\work\\greeter", "C:/work/greeter.exe"]) {
      const found = lookPath(command, { ...options, isExecutable });
      assert.equal(found.replaceAll("/", "\\"), "C:\\work\\greeter.exe", command);
    }
    assert.equal(lookPath("C:\\nothing", { ...options, isExecutable }), "C:\\nothing");
  });

  test("without PATHEXT programs have the extensions that Go knows", () => {
    const isExecutable = withFiles("C:\\b\\a.bat");
    assert.equal(lookPath("a", { ...options, pathExt: "", isExecutable }), "C:\\b\\a.bat");
  });

  test("backslashes and drives make a path", () => {
    for (const path of ["a\\b", "C:b", "a/b"]) assert.equal(isBareName(path, "win32"), false, path);
    assert.equal(isBareName("node.exe", "win32"), true);
  });
});
