import * as gob from "../../../src/gob/index.js";

export const table = { Echo: [gob.bytes, gob.bytes], Fat: [gob.any, gob.bytes] } as const;
