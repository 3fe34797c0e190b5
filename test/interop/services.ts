// The services of the fixtures (go-fixtures/shared documents them), beside kv and greeter in support.ts.
import { basicError, gob, netRpcPlugin } from "../../src/index.js";

export const sumArgs = gob.struct({ A: gob.int64, B: gob.int64 }, { name: "SumArgs" });
export const nestArgs = gob.struct({ Depth: gob.int, Id: gob.uint32 }, { name: "NestArgs" });

/** What either side of counter serves on a brokered id. */
export const helperMethods = {
  Sum: [sumArgs, gob.int64],
  Nest: [nestArgs, gob.slice(gob.string)],
} as const;

export const counterMethods = {
  Put: [
    gob.struct({ Key: gob.string, Value: gob.int64, AddServer: gob.uint32 }, { name: "PutArgs" }),
    gob.int64,
  ],
  Get: [gob.string, gob.int64],
  Open: [gob.any, gob.uint32],
  Nest: [nestArgs, gob.slice(gob.string)],
  AcceptNobody: [gob.any, gob.string],
} as const;

/** Counter's face keeps the broker at hand, since its callers serve helpers on it. */
export const counter = netRpcPlugin(counterMethods, {
  client: ({ rpc, broker }) => ({ rpc, broker }),
});

export const addArgs = gob.struct({ A: gob.int, B: gob.int }, { name: "AddArgs" });

export const errors = netRpcPlugin({
  Plain: [gob.string, gob.any],
  Basic: [gob.string, gob.struct({ Value: gob.string, Error: basicError }, { name: "BasicReply" })],
  Registered: [
    gob.string,
    gob.struct({ Value: gob.string, Error: gob.typedAny }, { name: "RegisteredReply" }),
  ],
  Add: [addArgs, gob.int],
  Nothing: [gob.any, gob.any],
  Panic: [gob.string, gob.any],
  BadReply: [gob.any, gob.string],
});

/** The same service with an argument type that the plugin does not take. */
export const wrongErrors = netRpcPlugin({ Add: [gob.string, gob.int] });

export const stdio = netRpcPlugin({
  WriteStdout: [gob.int, gob.int],
  WriteStderr: [gob.int, gob.int],
  WriteLines: [gob.int, gob.int],
  Print: [gob.string, gob.int],
  PrintErr: [gob.string, gob.int],
});

const streamArgs = gob.struct({ Id: gob.uint32, Bytes: gob.int64 }, { name: "Args" });

export const stream = netRpcPlugin(
  {
    Source: [streamArgs, gob.int64],
    Sink: [streamArgs, gob.struct({ Bytes: gob.int64, SHA256: gob.string }, { name: "SinkReply" })],
    Mirror: [streamArgs, gob.int64],
    ReadAsking: [streamArgs, gob.struct({ Bytes: gob.int64, SHA256: gob.string }, { name: "SinkReply" })],
    ServeAsked: [streamArgs, gob.int64],
    Offer: [gob.any, gob.uint32],
  },
  { client: ({ rpc, broker }) => ({ rpc, broker }) },
);

const args = gob.struct({ A: gob.int, B: gob.int }, { name: "Args" });
const reply = gob.struct({ C: gob.int }, { name: "Reply" });

/** rpcpeer's service Arith. */
export const arithMethods = {
  Add: [args, reply],
  Mul: [args, reply],
  Div: [args, reply],
  String: [args, gob.string],
  Scan: [gob.string, reply],
  SleepMilli: [args, reply],
  Error: [args, reply],
  Fail: [gob.string, reply],
  Echo: [gob.bytes, gob.bytes],
  Nothing: [gob.any, gob.any],
} as const;

export const embedMethods = { Exported: [args, reply] } as const;

export const builtinTypesMethods = {
  Map: [args, gob.map(gob.int, gob.int)],
  Slice: [args, gob.slice(gob.int)],
  Array: [args, gob.array(gob.int, 2)],
} as const;
