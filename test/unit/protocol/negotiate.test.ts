import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  checkAnnouncedVersion,
  chooseVersion,
  collectVersions,
  parseVersionList,
} from "../../../src/protocol/negotiate.js";

test("parseVersionList keeps what is an integer and names what is none", () => {
  assert.deepEqual(parseVersionList(undefined), { versions: [], invalid: [] });
  assert.deepEqual(parseVersionList(""), { versions: [], invalid: [] });
  assert.deepEqual(parseVersionList("3,2,-1,+7,007"), { versions: [3, 2, -1, 7, 7], invalid: [] });
  assert.deepEqual(parseVersionList("3, 2,x,,9999999999999999999,1.5"), {
    versions: [3],
    invalid: [" 2", "x", "", "9999999999999999999", "1.5"],
  });
});

describe("chooseVersion", () => {
  test("takes the highest that both have, whatever the order", () => {
    assert.equal(chooseVersion([2, 4, 3], [3, 2, 9]), 3);
    assert.equal(chooseVersion([10, 9], [9, 10]), 10);
  });

  test("falls back to its own lowest: a legacy host, or nothing in common", () => {
    assert.equal(chooseVersion([3, 2, 10], []), 2);
    assert.equal(chooseVersion([3, 2, 10], [4]), 2);
    assert.equal(chooseVersion([], [4]), undefined);
  });
});

describe("collectVersions", () => {
  const sets = { protocolVersion: 2, plugins: "plain", versionedPlugins: { 2: "versioned", 3: "three" } };

  test("on a clash the host keeps versionedPlugins, the plugin takes plugins", () => {
    assert.deepEqual(
      [...collectVersions(sets, "host")],
      [
        [2, "versioned"],
        [3, "three"],
      ],
    );
    assert.deepEqual(
      [...collectVersions(sets, "plugin")],
      [
        [2, "plain"],
        [3, "three"],
      ],
    );
  });

  test("plugins without protocolVersion are version 0; without plugins nothing is added", () => {
    assert.deepEqual([...collectVersions({ plugins: "p" }, "host")], [[0, "p"]]);
    assert.deepEqual([...collectVersions({ protocolVersion: 5 }, "plugin")], []);
  });

  test("refuses keys and versions that are no integers", () => {
    const versionedPlugins = JSON.parse('{"one": "p"}') as Record<number, string>;
    assert.throws(() => collectVersions({ versionedPlugins }, "host"), { code: "ERR_HANDSHAKE_CONFIG" });
    assert.throws(() => collectVersions({ protocolVersion: 1.5 }, "host"), { code: "ERR_HANDSHAKE_CONFIG" });
  });
});

test("checkAnnouncedVersion lists the host's versions in order", () => {
  checkAnnouncedVersion(3, [2, 3]);
  assert.throws(() => checkAnnouncedVersion(4, [10, 9]), {
    message: "incompatible API version with plugin. Plugin version: 4, Client versions: [9 10]",
  });
});
