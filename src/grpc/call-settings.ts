import { LONGEST_TIMER, timeLimit } from "../options.js";
import type { WaitOptions } from "../wait.js";
import type { CallHead } from "./calls.js";
import type { Metadata } from "./metadata.js";

/** Who wants to see what a response has beside its messages. What these throw is the call's error. */
export interface ResponseListeners {
  /**
   * Called with what the server sent before its first answer, as soon as it is there; not for a response that is a status
   * alone. (Go: grpc.Header.)
   */
  readonly onHeader?: ((header: Metadata) => void) | undefined;
  /** Called with what came with the status, whatever status that is, before the call ends with it. (Go: grpc.Trailer.) */
  readonly onTrailer?: ((trailer: Metadata) => void) | undefined;
}

/** A call's own settings, without its path. */
export interface CallSettings
  extends WaitOptions,
    ResponseListeners,
    Partial<Omit<CallHead, "path" | "deadline">> {}

/** The head of a call that is made now. @throws OptionError - the timeout is no time */
export function headOf(path: string, settings: CallSettings): CallHead {
  const { metadata, credentials, host, parent, propagateFlags, timeout } = settings;
  return { path, deadline: deadlineOf(timeout), metadata, credentials, host, parent, propagateFlags };
}

/** A time limit from now as milliseconds since the epoch, Infinity where there is none. @throws OptionError */
function deadlineOf(timeout: number | undefined): number {
  if (timeout === undefined) return Infinity;
  const limit = timeLimit("timeout", timeout, Infinity);
  return limit > LONGEST_TIMER ? Infinity : Date.now() + limit;
}
