import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/kv-es.js";

await serveFixture(plugins);
