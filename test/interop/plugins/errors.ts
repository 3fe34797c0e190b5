import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/errors.js";

await serveFixture(plugins);
