import type { Writable } from "node:stream";
import { type Client, type ServiceError, status } from "@grpc/grpc-js";
import type { Logger } from "../hclog/logger.js";
import { copyOutput } from "../process/output-copy.js";
import { GRPCStdioService, type StdioData, StdioData_Channel } from "./gen/plugin/grpc_stdio.js";

/** Where the plugin's output goes; without a writer it is dropped. */
export interface SyncWriters {
  readonly stdout?: Writable | undefined;
  readonly stderr?: Writable | undefined;
}

/** Statuses with which the stream ends when plugin or host end; others are errors (grpc_stdio.go, Run). */
const ordinary: ReadonlySet<number> = new Set([status.UNAVAILABLE, status.CANCELLED]);

/**
 * Copies the plugin's stdout and stderr to the writers, no faster than they take it. Resolves when the stream ends;
 * a plugin that does not have the service is one from before it, and gets a warning.
 */
export function copyStdio(client: Client, writers: SyncWriters, logger: Logger): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = GRPCStdioService.streamStdio;
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
  const copyTo = (
    writer: Writable | undefined,
    from: "stdout" | "stderr",
    option: "syncStdout" | "syncStderr",
  ) => copyOutput({ writer, from, option, logger, onReady: () => void call.resume() });
  const stdout = copyTo(writers.stdout, "stdout", "syncStdout");
  const stderr = copyTo(writers.stderr, "stderr", "syncStderr");
  call.on("data", ({ channel, data }: StdioData) => {
    if (channel !== StdioData_Channel.STDOUT && channel !== StdioData_Channel.STDERR) {
      logger.warn("unknown channel, dropping", { channel });
      return;
    }
    const copy = channel === StdioData_Channel.STDOUT ? stdout : stderr;
    if (!copy.write(data)) call.pause();
  });
  return new Promise((resolve) => {
    const ended = (): void => {
      stdout.end();
      stderr.end();
      resolve();
    };
    call.on("end", ended);
    call.on("close", ended);
    call.on("error", (error: ServiceError) => {
      if (error.code === status.UNIMPLEMENTED) {
        logger.warn("stdio service not available, stdout/stderr syncing unavailable");
      } else if (ordinary.has(error.code)) logger.debug("stdio stream ended", { error });
      else logger.error("error receiving data", { error });
      ended();
    });
  });
}
