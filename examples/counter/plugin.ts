// Keeps numbers, and has the host add them.
import { serve } from "goplug";
import { counter, dialHelper, handshakeConfig } from "./shared.js";

const values = new Map<string, bigint>();

const implementation = counter.implement((broker) => ({
  async Put({ Key, Value, AddServer }) {
    await using helper = await dialHelper(broker, AddServer);
    const sum = await helper.Sum({ A: values.get(Key) ?? 0n, B: Value });
    values.set(Key, sum);
    return sum;
  },
  Get: (key) => values.get(key) ?? 0n,
}));

await serve({ handshakeConfig, plugins: { counter: implementation } });
