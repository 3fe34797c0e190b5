// What a program's own set-up of OpenTelemetry does; here the spans stay in memory.
import { propagation, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";

export const exported = new InMemorySpanExporter();

export function startTelemetry(): void {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exported)] }),
  );
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}
