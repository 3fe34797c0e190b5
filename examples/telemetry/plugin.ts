// A store that gives, for the key "trace", the trace that its caller's span belongs to.
import { propagation, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { type Metadata, serve } from "goplug";
import { handshakeConfig, kv } from "../kv-grpc/shared.ts";
import { startTelemetry } from "./sdk.ts";

startTelemetry();
const tracer = trace.getTracer("store");
const getter = {
  get: (metadata: Metadata, name: string) => metadata.get(name).map(String),
  keys: (metadata: Metadata) => Object.keys(metadata.getMap()),
};

await serve({
  handshakeConfig,
  plugins: {
    kv: kv.implement({
      put: () => {},
      get(_request, { metadata }) {
        const caller = propagation.extract(ROOT_CONTEXT, metadata, getter);
        const span = tracer.startSpan("look up", { kind: SpanKind.SERVER }, caller);
        span.end();
        return { value: Buffer.from(span.spanContext().traceId) };
      },
    }),
  },
});
