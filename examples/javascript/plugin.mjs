// Keeps numbers, and has the host add them.
import { serve } from "goplug";
import { counter, handshakeConfig, helper } from "./shared.mjs";

const values = new Map();

const implementation = counter.implement((broker) => ({
  async Put({ Key, Value, AddServer }) {
    const host = await broker.connect(AddServer, helper);
    try {
      const sum = await host.Sum({ A: values.get(Key) ?? 0n, B: Value });
      values.set(Key, sum);
      return sum;
    } finally {
      await host[Symbol.asyncDispose]();
    }
  },
  Get: (key) => values.get(key) ?? 0n,
}));

await serve({ handshakeConfig, plugins: { counter: implementation } });
