import { connectionError, ErrorCode } from "./errors.js";
import type { FloodGuard } from "./flood-guard.js";
import { RST_STREAM } from "./frame.js";
import type { Outgoing } from "./outgoing.js";
import type { Streams } from "./streams.js";

/**
 * DATA or HEADERS have come for a stream that is not open (RFC 9113, section 5.1, "closed").
 * @throws Http2Error ERR_HTTP2_PROTOCOL when it never was
 */
export function answerLateFrame(
  { streams, guard, out }: { readonly streams: Streams; readonly guard: FloodGuard; readonly out: Outgoing },
  id: number,
  what: string,
): void {
  if (!streams.wasOpened(id)) {
    throw connectionError(ErrorCode.PROTOCOL_ERROR, `${what} on stream ${id}, which was never opened`);
  }
  // The peer could not know yet.
  if (streams.wasReset(id)) return;
  guard.barren();
  guard.answer();
  out.writer.number(RST_STREAM, id, ErrorCode.STREAM_CLOSED);
}
