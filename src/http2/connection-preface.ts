import { DEFAULT_WINDOW, MIN_MAX_FRAME_SIZE, PREFACE, SETTINGS, WINDOW_UPDATE } from "./frame.js";
import { CONNECTION_WINDOW } from "./receive-window.js";
import { type OwnSettings, writeSettings } from "./settings.js";
import type { FrameWriter } from "./writer.js";

/** The largest payload that this side takes. */
export const MAX_RECEIVE_FRAME = MIN_MAX_FRAME_SIZE;

/** Sends what each side says first (RFC 9113, section 3.4), and opens the connection's window. */
export function sendConnectionPreface(writer: FrameWriter, own: Omit<OwnSettings, "maxFrameSize">): void {
  if (own.role === "client") writer.raw(PREFACE);
  writer.frame(SETTINGS, 0, 0, writeSettings({ ...own, maxFrameSize: MAX_RECEIVE_FRAME }));
  writer.number(WINDOW_UPDATE, 0, CONNECTION_WINDOW - DEFAULT_WINDOW);
}
