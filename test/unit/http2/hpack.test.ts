// HPACK: the examples of RFC 7541, appendix C, byte for byte, and what the RFC calls an error.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type HeaderList, HpackDecoder } from "../../../src/http2/hpack-decoder.js";
import { encodedBound, HpackEncoder, listSize } from "../../../src/http2/hpack-encoder.js";

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const decoder = (tableSize = 4096, maxListSize = 1 << 20): HpackDecoder =>
  new HpackDecoder(tableSize, maxListSize);

function encode(encoder: HpackEncoder, headers: HeaderList): string {
  const target = Buffer.alloc(encodedBound(listSize(headers)));
  return target.toString("hex", 0, encoder.encode(headers, target, 0));
}

const requests: HeaderList[] = [
  [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"],
  [
    ":method",
    "GET",
    ":scheme",
    "http",
    ":path",
    "/",
    ":authority",
    "www.example.com",
    "cache-control",
    "no-cache",
  ],
  [
    ":method",
    "GET",
    ":scheme",
    "https",
    ":path",
    "/index.html",
    ":authority",
    "www.example.com",
    "custom-key",
    "custom-value",
  ],
];
const date = "Mon, 21 Oct 2013 20:13:21 GMT";
const location = "https://www.example.com";
const responses: HeaderList[] = [
  [":status", "302", "cache-control", "private", "date", date, "location", location],
  [":status", "307", "cache-control", "private", "date", date, "location", location],
  [
    ...[":status", "200", "cache-control", "private", "date", "Mon, 21 Oct 2013 20:13:22 GMT"],
    ...["location", location, "content-encoding", "gzip"],
    ...["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ],
];

test("C.2: one field in each representation", () => {
  const literal = decoder();
  const indexed = unhex("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
  assert.deepEqual(literal.decode(indexed).headers, ["custom-key", "custom-header"]);
  assert.equal(literal.tableSize, 55);
  const cases: [string, HeaderList][] = [
    ["040c 2f73 616d 706c 652f 7061 7468", [":path", "/sample/path"]],
    ["1008 7061 7373 776f 7264 0673 6563 7265 74", ["password", "secret"]],
    ["82", [":method", "GET"]],
  ];
  for (const [hex, headers] of cases) {
    const fresh = decoder();
    assert.deepEqual(fresh.decode(unhex(hex)).headers, headers);
    assert.equal(fresh.tableSize, 0);
  }
});

const c3 = [
  "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
  "8286 84be 5808 6e6f 2d63 6163 6865",
  "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
];

test("C.3: requests without Huffman coding, both ways", () => {
  const encoder = new HpackEncoder();
  const decoding = decoder();
  for (const [i, headers] of requests.entries()) {
    assert.equal(encode(encoder, headers), c3[i]!.replaceAll(" ", ""));
    assert.deepEqual(decoding.decode(unhex(c3[i]!)).headers, headers);
    assert.equal(encoder.tableSize, [57, 110, 164][i]);
    assert.equal(decoding.tableSize, [57, 110, 164][i]);
  }
});

test("C.4: requests with Huffman coding", () => {
  const blocks = [
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    "8286 84be 5886 a8eb 1064 9cbf",
    "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
  ];
  const decoding = decoder();
  for (const [i, headers] of requests.entries()) {
    assert.deepEqual(decoding.decode(unhex(blocks[i]!)).headers, headers);
    assert.equal(decoding.tableSize, [57, 110, 164][i]);
  }
});

test("C.5: responses without Huffman coding, with evictions, both ways", () => {
  const blocks = [
    `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a
     3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
    "4803 3330 37c1 c0bf",
    `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04
     677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49
     553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
  ].map((block) => block.replaceAll(/\s/g, ""));
  const encoder = new HpackEncoder();
  encoder.setMaxTableSize(256);
  const decoding = decoder(256);
  for (const [i, headers] of responses.entries()) {
    // The encoder announces the table's size in front of its first block; the example takes it as agreed upon.
    const announced = i === 0 ? "3fe101" : "";
    assert.equal(encode(encoder, headers), announced + blocks[i]!);
    assert.deepEqual(decoding.decode(unhex(announced + blocks[i]!)).headers, headers);
    assert.equal(encoder.tableSize, [222, 222, 215][i]);
    assert.equal(decoding.tableSize, [222, 222, 215][i]);
  }
});

test("C.6: responses with Huffman coding", () => {
  const blocks = [
    `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e
     919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
    "4883 640e ffc1 c0bf",
    `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7
     821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed
     4ee5 b106 3d50 07`,
  ];
  const decoding = decoder(256);
  for (const [i, headers] of responses.entries()) {
    assert.deepEqual(decoding.decode(unhex(blocks[i]!.replaceAll(/\s/g, ""))).headers, headers);
    assert.equal(decoding.tableSize, [222, 222, 215][i]);
  }
});

test("what cannot be decoded ends the connection with COMPRESSION_ERROR", () => {
  const hostile = {
    "index 0": "80",
    "an index beyond the static table, with an empty dynamic one": "be",
    "a name's index beyond the table": "7f00 0161",
    "an index without end": "ff",
    "an index beyond 32 bits": "ff ffff ffff ff7f",
    "an index padded with zeros": "ff 8080 8080 8000",
    "a literal without value": "4001 61",
    "a string longer than the block": "4001 6105 6162",
    "a length beyond all bounds": "4001 617f ffff ff7f",
    "a table larger than allowed": "3fe2 1f",
    "a change of the table's size behind a field": "82 20",
    "Huffman: the end-of-string symbol": "4001 6184 ffff ffff",
    "Huffman: a byte of padding": "4001 6182 1fff",
    "Huffman: padding of zeros": "4001 6181 18",
  };
  for (const [name, hex] of Object.entries(hostile)) {
    assert.throws(() => decoder().decode(unhex(hex)), { code: "ERR_HTTP2_PROTOCOL", http2Code: 9 }, name);
  }
});

test("changes of the table's size: within the bounds, several in front of a block", () => {
  const decoding = decoder();
  decoding.decode(unhex("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"));
  assert.equal(decoding.tableSize, 55);
  decoding.decode(unhex("20 3fe1 1f 82"));
  assert.equal(decoding.tableSize, 0);
  assert.equal(decoding.maxTableSize, 4096);
});

test("a field larger than the table empties it, and is told all the same", () => {
  const encoder = new HpackEncoder();
  encoder.setMaxTableSize(64);
  const decoding = decoder(64);
  encode(encoder, ["a", "b"]);
  decoding.decode(unhex("4001 6101 62"));
  assert.equal(decoding.tableSize, 34);
  const value = "x".repeat(40);
  const block = Buffer.concat([unhex("4001 6328"), Buffer.from(value)]);
  assert.deepEqual(decoding.decode(block).headers, ["c", value]);
  assert.equal(decoding.tableSize, 0);
});

test("a list beyond the limit is cut off, and the table stays in step", () => {
  const decoding = decoder(4096, 100);
  const long = "v".repeat(60);
  const block = Buffer.concat([
    unhex("4001 61 3c"),
    Buffer.from(long),
    unhex("4001 62 3c"),
    Buffer.from(long),
  ]);
  const first = decoding.decode(block);
  assert.deepEqual([first.headers, first.truncated], [["a", long], true]);
  assert.deepEqual(decoding.decode(unhex("be")).headers, ["b", long]);
});

test("a bomb of references costs no memory beyond the limit", () => {
  const decoding = decoder(4096, 1 << 20);
  const value = Buffer.alloc(4000, 0x78);
  const lead = Buffer.concat([unhex("4001 617f a11e"), value]);
  const bomb = Buffer.concat([lead, Buffer.alloc(1_000_000, 0xbe)]);
  const { headers, truncated } = decoding.decode(bomb);
  assert.equal(truncated, true);
  assert.ok(headers.length <= (2 * (1 << 20)) / 4000);
});

test("names and values that HTTP/2 forbids make a malformed list, from the table, too", () => {
  const cases: Record<string, [string, boolean]> = {
    "a name in upper case": ["4001 4101 62", true],
    "an empty name": ["4000 0162", true],
    "a space in a name": ["4003 6120 6201 62", true],
    "a line feed in a value": ["4001 6103 620a 63", true],
    "a zero byte in a value": ["4001 6101 00", true],
    "a tab and octets beyond ASCII in a value": ["4001 6103 09ff 80", false],
  };
  for (const [name, [hex, malformed]] of Object.entries(cases)) {
    const decoding = decoder();
    assert.equal(decoding.decode(unhex(hex)).malformed, malformed, name);
    assert.equal(decoding.decode(unhex("be")).malformed, malformed, `${name}, again`);
    assert.equal(decoding.decode(unhex("82")).malformed, false);
  }
});

test("the encoder follows its peer's table: smaller, and smaller and larger again at once", () => {
  const encoder = new HpackEncoder();
  const decoding = decoder();
  const send = (headers: HeaderList): void =>
    assert.deepEqual(decoding.decode(unhex(encode(encoder, headers))).headers, headers);
  const many = Array.from({ length: 60 }, (_, i) => [`name-${i % 7}`, `value ${i}`]).flat();
  send(many);
  send(many);
  encoder.setMaxTableSize(100);
  send(many);
  assert.equal(decoding.maxTableSize, 100);
  encoder.setMaxTableSize(0);
  encoder.setMaxTableSize(1_000_000);
  send(many);
  assert.equal(decoding.maxTableSize, 4096);
  send(many);
  assert.equal(decoding.tableSize, encoder.tableSize);
});

test("fields that will not come again take no place in the table", () => {
  const encoder = new HpackEncoder((name) => name === "grpc-timeout");
  const first = encode(encoder, ["grpc-timeout", "1S"]);
  assert.equal(encoder.tableSize, 0);
  assert.equal(encode(encoder, ["grpc-timeout", "1S"]), first);
});
