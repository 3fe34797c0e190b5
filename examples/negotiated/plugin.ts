// One store in two versions of the app protocol: over net/rpc for old hosts, over gRPC for new ones.
import { status } from "@grpc/grpc-js";
import { serve } from "goplug";
import { handshakeConfig, version2, version3 } from "./shared.ts";

const values = new Map<string, Uint8Array>();

const overNetRpc = version2.implement({
  Put(args) {
    values.set(
      args.get("key") as string,
      Buffer.concat([args.get("value") as Uint8Array, Buffer.from(" (2)")]),
    );
    return null;
  },
  Get(key) {
    const value = values.get(key);
    if (value === undefined) throw new Error(`key not found: ${key}`);
    return value;
  },
});

const overGrpc = version3.implement({
  put({ request: { key, value } }, answer) {
    values.set(key, Buffer.concat([value, Buffer.from(" (3)")]));
    answer(null, {});
  },
  get({ request: { key } }, answer) {
    const value = values.get(key);
    if (value === undefined) answer({ code: status.NOT_FOUND, details: `key not found: ${key}` });
    else answer(null, { value: Buffer.from(value) });
  },
});

await serve({ handshakeConfig, versionedPlugins: { 2: { kv: overNetRpc }, 3: { kv: overGrpc } } });
