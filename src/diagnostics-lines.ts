import type { Channel } from "node:diagnostics_channel";
import type {
  BrokerMessage,
  CallTrace,
  ConnectTrace,
  DispenseTrace,
  ExitMessage,
  HandshakeTrace,
  StartTrace,
  StreamMessage,
  Traced,
} from "./diagnostics-contexts.js";
import { createTrace } from "./trace.js";
import type { TraceChannel } from "./trace-channel.js";

interface Channels {
  readonly tracing: {
    readonly start: TraceChannel<StartTrace>;
    readonly handshake: TraceChannel<HandshakeTrace>;
    readonly connect: TraceChannel<ConnectTrace>;
    readonly dispense: TraceChannel<DispenseTrace>;
    readonly call: TraceChannel<CallTrace>;
  };
  readonly exit: Channel;
  readonly broker: Channel;
  readonly stream: Channel;
}

/** Writes what the channels tell in lines for people, as far as the environment's DEBUG asks for them. */
export function printDiagnostics({ tracing, exit, broker, stream }: Channels): void {
  printTrace("start", tracing.start, ({ plugin, reattach }) =>
    reattach ? "attach to a running plugin" : `start ${plugin}`,
  );
  printTrace("handshake", tracing.handshake, ({ plugin, id }) => `handshake of ${plugin} (${id})`);
  printTrace(
    "connect",
    tracing.connect,
    ({ plugin, protocol, network, address }) => `connect to ${plugin} at ${network} ${address} (${protocol})`,
  );
  printTrace("dispense", tracing.dispense, ({ plugin, name }) => `dispense ${name} of ${plugin}`);
  printTrace("call", tracing.call, ({ method, requestBytes, replyBytes }) =>
    replyBytes > 0 || requestBytes > 0
      ? `call ${method}, ${requestBytes} bytes out, ${replyBytes} bytes in`
      : `call ${method}`,
  );
  printEach<ExitMessage>("exit", exit, ({ plugin, id, code, signal }) =>
    signal === null
      ? `${plugin} (${id}) exited with code ${code}`
      : `${plugin} (${id}) was killed by ${signal}`,
  );
  printEach<BrokerMessage>("broker", broker, ({ action, id }) => `${action} ${id}`);
  printEach<StreamMessage>("stream", stream, ({ action, id, sentBytes, receivedBytes }) =>
    action === "close" ? `close ${id}, ${sentBytes} bytes out, ${receivedBytes} bytes in` : `${action} ${id}`,
  );
}

function printTrace<C extends Traced>(
  name: string,
  channel: TraceChannel<C>,
  describe: (context: C) => string,
): void {
  const trace = createTrace(`goplug:${name}`);
  if (!trace.enabled) return;
  const began = new WeakMap<object, number>();
  channel.subscribe({
    start(context) {
      began.set(context, performance.now());
      trace("%s …", describe(context));
    },
    end() {},
    asyncStart() {},
    asyncEnd(context) {
      const took = (performance.now() - (began.get(context) ?? performance.now())).toFixed(1);
      const { error } = context;
      if (error === undefined) trace("%s: done in %s ms", describe(context), took);
      else
        trace(
          "%s: failed after %s ms: %s",
          describe(context),
          took,
          error instanceof Error ? error.message : error,
        );
    },
    error() {},
  });
}

function printEach<M>(name: string, channel: Channel, describe: (message: M) => string): void {
  const trace = createTrace(`goplug:${name}`);
  if (trace.enabled) channel.subscribe((message) => trace("%s", describe(message as M)));
}
