// OpenTelemetry spans of all calls to plugins, by the channels of node:diagnostics_channel: the host's own code stays as it is.
import { tracingChannel } from "node:diagnostics_channel";
import { context, propagation, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { CallTrace, Metadata } from "goplug";

export function traceCalls(): void {
  const tracer = trace.getTracer("goplug");
  const spans = new WeakMap<CallTrace, Span>();
  tracingChannel<unknown, CallTrace>("goplug:call").subscribe({
    start(call) {
      const span = tracer.startSpan(call.method, { kind: SpanKind.CLIENT });
      spans.set(call, span);
      // Over gRPC the span travels to the plugin, as W3C's traceparent.
      const metadata = call.metadata as Metadata | undefined;
      const carrier = trace.setSpan(context.active(), span);
      if (metadata !== undefined)
        propagation.inject(carrier, metadata, { set: (to, name, value) => to.set(name, value) });
    },
    error(call) {
      spans.get(call)?.recordException(call.error as Error);
      spans.get(call)?.setStatus({ code: SpanStatusCode.ERROR });
    },
    asyncEnd(call) {
      const { requestBytes, replyBytes } = call;
      spans.get(call)?.setAttributes({ "rpc.system": call.protocol, requestBytes, replyBytes }).end();
    },
    end() {},
    asyncStart() {},
  });
}
