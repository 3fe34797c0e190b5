import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HandshakeError } from "../../../src/protocol/errors.js";
import {
  formatHandshakeLine,
  type HandshakeLine,
  parseHandshakeLine,
} from "../../../src/protocol/handshake-line.js";

const refuses = (line: string, code: string, message: string | RegExp, expected = {}) =>
  assert.throws(
    () => parseHandshakeLine(line, expected),
    (error: unknown) => {
      assert.ok(error instanceof HandshakeError);
      assert.equal(error.code, code);
      if (typeof message === "string") assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    },
  );

describe("parseHandshakeLine", () => {
  test("four fields, as plugins printed them before gRPC, mean netrpc", () => {
    assert.deepEqual(parseHandshakeLine("1|4|unix|/tmp/plugin12\r\n"), {
      coreVersion: 1,
      appVersion: 4,
      network: "unix",
      address: "/tmp/plugin12",
      protocol: "netrpc",
      mux: undefined,
    });
  });

  test("six and seven fields, as Go plugins print them", () => {
    assert.equal(parseHandshakeLine("1|2|tcp|127.0.0.1:1234|grpc|").protocol, "grpc");
    assert.equal(parseHandshakeLine("1|2|tcp|127.0.0.1:1234|grpc||true").mux, true);
    assert.equal(parseHandshakeLine("1|2|tcp|[::1]:1234|grpc||F").mux, false);
  });

  test("a certificate is base64 without padding; shorter extra data is ignored", () => {
    const der = Buffer.alloc(100, 7);
    const text = der.toString("base64").replace(/=+$/, "");
    assert.deepEqual(parseHandshakeLine(`1|1|unix|/a|netrpc|${text}`).serverCert, der);
    assert.equal(parseHandshakeLine(`1|1|unix|/a|netrpc|${"!".repeat(50)}`).serverCert, undefined);
    assert.equal(parseHandshakeLine(`1|1|unix|/a|netrpc|${"A".repeat(51)}`).serverCert?.length, 38);
    refuses(
      `1|1|unix|/a|netrpc|${"A".repeat(60)}!`,
      "ERR_HANDSHAKE_CERTIFICATE",
      "error parsing server cert: illegal base64 data at input byte 60",
    );
    refuses(`1|1|unix|/a|netrpc|${"A".repeat(61)}`, "ERR_HANDSHAKE_CERTIFICATE", /input byte 60/);
  });

  test("go-plugin's texts for what it refuses", () => {
    refuses("hello there", "ERR_HANDSHAKE_LINE", "Unrecognized remote plugin message: hello there");
    refuses("", "ERR_HANDSHAKE_LINE", "Unrecognized remote plugin message: ");
    refuses(
      "2|1|unix|/a",
      "ERR_HANDSHAKE_CORE_VERSION",
      /^incompatible core API version with plugin\. Plugin version: 2, Core version: 1\n\nTo fix this/,
    );
    refuses(
      "x|1|unix|/a",
      "ERR_HANDSHAKE_CORE_VERSION",
      'error parsing core protocol version: strconv.Atoi: parsing "x": invalid syntax',
    );
    refuses(
      "1|y|unix|/a",
      "ERR_HANDSHAKE_APP_VERSION",
      'Error parsing protocol version "y": strconv.Atoi: parsing "y": invalid syntax',
    );
    refuses(
      "1|4|unix|/a",
      "ERR_HANDSHAKE_APP_VERSION",
      "incompatible API version with plugin. Plugin version: 4, Client versions: [2 3]",
      { versions: [3, 2] },
    );
    refuses("1|1|udp|1.2.3.4:5", "ERR_HANDSHAKE_ADDRESS", /^unknown address type: 1\.2\.3\.4:5/);
    refuses(
      "1|1|unix|/a|grpc|",
      "ERR_HANDSHAKE_PROTOCOL",
      'unsupported plugin protocol "grpc". Supported: [netrpc]',
      { allowedProtocols: ["netrpc"] },
    );
    refuses("1|1|unix|/a||", "ERR_HANDSHAKE_PROTOCOL", /^unsupported plugin protocol ""/, {
      allowedProtocols: ["netrpc", "grpc"],
    });
  });

  test("addresses that no socket can have", () => {
    for (const address of ["", "nowhere", "a:", "a:70000", "a:b", "1:2:3"]) {
      refuses(`1|1|tcp|${address}`, "ERR_HANDSHAKE_ADDRESS", /host:port/);
    }
    refuses("1|1|unix||netrpc", "ERR_HANDSHAKE_ADDRESS", /empty socket path/);
  });

  test("the multiplexing field counts only for a host that wants it, from a plugin that speaks grpc", () => {
    const wanted = { multiplexGrpc: true };
    assert.equal(parseHandshakeLine("1|1|unix|/a|netrpc||maybe", wanted).mux, undefined);
    assert.equal(parseHandshakeLine("1|1|unix|/a|grpc||maybe").mux, undefined);
    assert.equal(parseHandshakeLine("1|1|unix|/a|grpc||1", wanted).mux, true);
    refuses(
      "1|1|unix|/a|grpc||maybe",
      "ERR_HANDSHAKE_MULTIPLEX",
      /^error parsing "maybe" as a boolean/,
      wanted,
    );
    refuses("1|1|unix|/a|grpc||false", "ERR_HANDSHAKE_MULTIPLEX", /does not support the feature$/, wanted);
    refuses(
      "1|1|unix|/a|grpc|",
      "ERR_HANDSHAKE_MULTIPLEX",
      /update the github\.com\/hashicorp\/go-plugin/,
      wanted,
    );
  });

  test("a line that is wrong twice is refused for what Go checks first", () => {
    const expected = { versions: [1], allowedProtocols: ["netrpc"] };
    refuses("2|9|udp|/a|grpc", "ERR_HANDSHAKE_CORE_VERSION", /core API/, expected);
    refuses("1|9|udp|/a|grpc", "ERR_HANDSHAKE_APP_VERSION", /API version/, expected);
    refuses("1|1|udp|/a|grpc", "ERR_HANDSHAKE_ADDRESS", /address type/, expected);
    refuses(`1|1|unix|/a|grpc|${"!".repeat(60)}`, "ERR_HANDSHAKE_PROTOCOL", /protocol/, expected);
  });

  test("messages repeat a bounded part of what came", () => {
    const long = "9".repeat(5_000_000);
    for (const line of [
      long,
      `${long}|1|unix|/a`,
      `1|${long}|unix|/a`,
      `1|1|${long}|/a`,
      `1|1|tcp|${long}`,
    ]) {
      assert.throws(
        () => parseHandshakeLine(line),
        (error: Error) => error instanceof HandshakeError && error.message.length < 5000,
      );
    }
  });

  test("any text gives a line or a HandshakeError", () => {
    const field = fc.oneof(fc.string(), fc.constantFrom("1", "unix", "tcp", "/a", "netrpc", "true"));
    fc.assert(
      fc.property(fc.array(field, { maxLength: 9 }), (fields) => {
        try {
          parseHandshakeLine(fields.join("|"), { multiplexGrpc: true });
        } catch (error) {
          assert.ok(error instanceof HandshakeError, String(error));
        }
      }),
    );
  });
});

describe("formatHandshakeLine", () => {
  const line: HandshakeLine = {
    coreVersion: 1,
    appVersion: 3,
    network: "unix",
    address: "/tmp/plugin1",
    protocol: "netrpc",
    mux: undefined,
  };

  test("prints six fields, and the seventh only if it has something to say", () => {
    assert.equal(formatHandshakeLine(line), "1|3|unix|/tmp/plugin1|netrpc|");
    const legacyHost = true;
    assert.equal(formatHandshakeLine(line, { legacyHost }), "1|3|unix|/tmp/plugin1");
    assert.equal(
      formatHandshakeLine({ ...line, protocol: "grpc" }, { legacyHost }),
      "1|3|unix|/tmp/plugin1|grpc|",
    );
    assert.match(
      formatHandshakeLine({ ...line, serverCert: Buffer.alloc(60) }, { legacyHost }),
      /\|netrpc\|A+$/,
    );
    assert.equal(formatHandshakeLine({ ...line, mux: true }), "1|3|unix|/tmp/plugin1|netrpc||true");
  });

  test("what it prints is read back", () => {
    for (const size of [64, 65, 66]) {
      const whole = { ...line, serverCert: Buffer.alloc(size, 3), mux: false };
      assert.deepEqual(parseHandshakeLine(formatHandshakeLine(whole)), whole);
    }
  });

  test("refuses an address that would break the line", () => {
    for (const address of ["/tmp/a|b", "/tmp/a\nb"]) {
      assert.throws(() => formatHandshakeLine({ ...line, address }), { code: "ERR_HANDSHAKE_ADDRESS" });
    }
  });
});
