// Keeps numbers, and has the host add them.
import { serve } from "goplug";
import { counter, dialHelper, handshakeConfig } from "./shared.ts";

const values = new Map<string, bigint>();

const implementation = counter.implement((broker) => ({
  async Put({ Key, Value, AddServer }) {
    const helper = await dialHelper(broker, AddServer);
    try {
      const sum = await helper.Sum({ A: values.get(Key) ?? 0n, B: Value });
      values.set(Key, sum);
      return sum;
    } finally {
      await helper[Symbol.asyncDispose]();
    }
  },
  Get: (key) => values.get(key) ?? 0n,
}));

await serve({ handshakeConfig, plugins: { counter: implementation } });
