import { serve } from "../../../../src/index.js";
import { shop } from "./definitions.js";

await serve({
  handshakeConfig: { protocolVersion: 1, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" },
  plugins: {
    shop: shop.implement({
      Echo: (order) => order,
      Any: (value) => value,
      Count: ({ Of }) => Of.length,
      Fail: (text) => {
        throw new Error(text);
      },
    }),
  },
});
