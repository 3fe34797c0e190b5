import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/stream.js";

await serveFixture(plugins);
