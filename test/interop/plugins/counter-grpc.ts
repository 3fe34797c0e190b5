import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/counter-grpc.js";

await serveFixture(plugins);
