// All fixture services in one process, as go-fixtures/plugins/all-netrpc.
import { serveFixture } from "./serve-fixture.js";
import * as counter from "./services/counter.js";
import * as errors from "./services/errors.js";
import * as greeter from "./services/greeter.js";
import * as kv from "./services/kv.js";
import * as stdio from "./services/stdio.js";
import * as stream from "./services/stream.js";

await serveFixture({
  ...counter.plugins,
  ...errors.plugins,
  ...greeter.plugins,
  ...kv.plugins,
  ...stdio.plugins,
  ...stream.plugins,
});
