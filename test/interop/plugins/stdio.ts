import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/stdio.js";

await serveFixture(plugins);
