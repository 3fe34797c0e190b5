import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/kv-grpc.js";

await serveFixture(plugins);
