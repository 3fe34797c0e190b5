import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/counter.js";

await serveFixture(plugins);
