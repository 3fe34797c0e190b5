import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/greeter.js";

await serveFixture(plugins);
