import type { Writable } from "node:stream";
import type { Logger } from "../hclog/logger.js";
import { copyOutput } from "../process/output-copy.js";
import type { Calls } from "./calls.js";
import { GrpcError } from "./errors.js";
import type { Empty } from "./gen/google/protobuf/empty.js";
import { type StdioData, StdioData_Channel } from "./gen/plugin/grpc_stdio.js";
import { type MessageStream, openStream } from "./message-stream.js";
import { stdioMethods } from "./own-services.js";
import { GrpcStatus } from "./status.js";

/** Where the plugin's output goes; without a writer it is dropped. */
export interface SyncWriters {
  readonly stdout?: Writable | undefined;
  readonly stderr?: Writable | undefined;
}

/** Statuses with which the stream ends when plugin or host end; others are errors (grpc_stdio.go, Run). */
const ordinary: ReadonlySet<number> = new Set([GrpcStatus.OK, GrpcStatus.UNAVAILABLE, GrpcStatus.CANCELLED]);

/**
 * Copies the plugin's stdout and stderr to the writers, no faster than they take it. Resolves when the stream ends;
 * a plugin that does not have the service is one from before it, and gets a warning.
 */
export function copyStdio(calls: Calls, writers: SyncWriters, logger: Logger): Promise<void> {
  const method = stdioMethods.streamStdio;
  /** The writer is full, and the next message not asked for. */
  let isWaiting = false;
  const readOn = (): void => {
    if (isWaiting) stream.read();
    isWaiting = false;
  };
  const copyTo = (
    writer: Writable | undefined,
    from: "stdout" | "stderr",
    option: "syncStdout" | "syncStderr",
  ) => copyOutput({ writer, from, option, logger, onReady: readOn });
  const stdout = copyTo(writers.stdout, "stdout", "syncStdout");
  const stderr = copyTo(writers.stderr, "stderr", "syncStderr");
  const take = ({ channel, data }: StdioData): boolean => {
    if (channel === StdioData_Channel.STDOUT) return stdout.write(data);
    if (channel === StdioData_Channel.STDERR) return stderr.write(data);
    logger.warn("unknown channel, dropping", { channel });
    return true;
  };
  let stream: MessageStream<Empty>;
  return new Promise((resolve) => {
    stream = openStream(calls, method, {
      onBegin: (begun) => begun.read(),
      onMessage(message) {
        if (take(message)) stream.read();
        else isWaiting = true;
      },
      onEnd({ code, details, cause }) {
        const error = new GrpcError(code, details, { what: method.path, cause });
        if (code === GrpcStatus.UNIMPLEMENTED) {
          logger.warn("stdio service not available, stdout/stderr syncing unavailable");
        } else if (ordinary.has(code)) logger.debug("stdio stream ended", { error });
        else logger.error("error receiving data", { error });
        stdout.end();
        stderr.end();
        resolve();
      },
    });
    stream.send({});
    stream.halfClose();
  });
}
