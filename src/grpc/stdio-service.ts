import type { ServerWritableStream } from "@grpc/grpc-js";
import type { Empty } from "./gen/google/protobuf/empty.js";
import { type StdioData, StdioData_Channel } from "./gen/plugin/grpc_stdio.js";
import { OwnServerCall } from "./transport/server-call.js";

/** What the plugin writes, for one stream at a time to take. (go-plugin sends 1 KiB a message, and takes any.) */
export interface OutputSource {
  attach(sink: { write(chunk: Buffer): boolean; hasSent(): boolean }): { ready(): void; detach(): void };
}

type Call = ServerWritableStream<Empty, StdioData>;

/**
 * The plugin's side of its synced stdout and stderr: a stream takes the next bytes when the connection has taken the
 * last ones, so that a slow host slows the writer down.
 */
export class StdioService {
  readonly streamStdio: (call: Call) => void;
  /** Ends the streams that are open, and at once those that come later, which would hold up the plugin's end. */
  readonly close: () => void;

  constructor(stdout: OutputSource, stderr: OutputSource) {
    const calls = new Set<Call>();
    let isClosed = false;
    this.streamStdio = (call) => {
      if (isClosed) {
        call.end();
        return;
      }
      calls.add(call);
      const detach = [
        copy(call, stdout, StdioData_Channel.STDOUT),
        copy(call, stderr, StdioData_Channel.STDERR),
      ];
      const gone = (): void => {
        calls.delete(call);
        for (const leave of detach) leave();
      };
      call.on("cancelled", gone);
      call.on("close", gone);
      call.on("finish", gone);
      call.on("error", gone);
    };
    this.close = () => {
      isClosed = true;
      for (const call of calls) call.end();
    };
  }
}

function copy(call: Call, source: OutputSource, channel: StdioData["channel"]): () => void {
  const { ready, detach } = source.attach({
    write(data) {
      call.write({ channel, data }, () => ready());
      return false;
    },
    hasSent() {
      const { call: sender, writableLength } = call as unknown as { call?: unknown; writableLength: number };
      // A second message still waits for the first one's callback.
      return writableLength === 1 && sender instanceof OwnServerCall && sender.hasSent();
    },
  });
  return detach;
}
