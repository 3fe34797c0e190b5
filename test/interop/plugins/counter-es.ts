import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/counter-es.js";

await serveFixture(plugins);
