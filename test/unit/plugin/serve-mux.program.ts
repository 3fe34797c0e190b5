// A program with two plugins, for serve-mux.test.ts.
import { serveMux } from "../../../src/plugin/serve-mux.js";

await serveMux({
  first: async () => console.log("serving first"),
  second: () => console.log("serving second"),
});
