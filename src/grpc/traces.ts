import { format } from "node:util";
import { whenGrpcJsLoads } from "./load-grpc-js.js";

/**
 * Sends what grpc-js logs and traces (GRPC_TRACE, GRPC_VERBOSITY) elsewhere than to console.error: traces of the frames
 * that carry a plugin's synced stderr would make more frames, and more traces, for ever. Go's grpclog keeps the
 * process's real stderr, too.
 */
export function divertGrpcJsTraces(write: (line: string) => void): void {
  const log =
    (severity: string) =>
    (message?: unknown, ...rest: unknown[]): void =>
      write(`${format(`${severity} ${message}`, ...rest)}\n`);
  whenGrpcJsLoads(({ setLogger }) => setLogger({ error: log("E"), info: log("I"), debug: log("D") }));
}
