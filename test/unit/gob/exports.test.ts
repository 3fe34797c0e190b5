import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";

const doc = readFileSync(new URL("../../../docs/gob.md", import.meta.url), "utf8");

test("the public names", () => {
  assert.deepEqual(
    Object.keys(gob).sort(),
    [
      ...[
        "Decoder",
        "Described",
        "Encoder",
        "GoTime",
        "GobError",
        "NEED_MORE",
        "Opaque",
        "Registry",
        "Schema",
      ],
      ...[
        "TypedValue",
        "any",
        "array",
        "bigFloat",
        "bigInt",
        "bigRat",
        "bool",
        "bytes",
        "complex128",
        "complex64",
      ],
      ...[
        "custom",
        "decode",
        "emptyStruct",
        "encode",
        "float32",
        "float64",
        "inspect",
        "int",
        "int16",
        "int32",
        "int64",
      ],
      ...["int64Number", "int8", "intBigint", "lazy", "map", "named", "netipAddr", "pointer", "rawString"],
      ...["registry", "slice", "string", "struct", "time", "typedAny", "uint", "uint16", "uint32", "uint64"],
      ...[
        "uint64Number",
        "uint8",
        "uintBigint",
        "uintptr",
        "url",
        "uuid",
        "value",
        "keepTypes",
        "lenientString",
        "zero",
      ],
    ].sort(),
  );
});

test("every builder stands in the guide", () => {
  const builders = Object.entries(gob).filter(
    ([, of]) => of instanceof gob.Schema || typeof of === "function",
  );
  for (const [name, of] of builders)
    if (of instanceof gob.Schema || /^[a-z]/.test(name))
      assert.match(doc, new RegExp(`gob\\.${name}\\b`), `gob.${name} is not in docs/gob.md`);
});
