import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/kv.js";

await serveFixture(plugins);
