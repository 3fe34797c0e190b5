// Go's io.Reader, io.Writer and io.ReadWriteCloser over brokered streams.
export type { ByteSource } from "./byte-source.js";
export { collectBytes } from "./collect-bytes.js";
export { StreamError, type StreamErrorCode } from "./errors.js";
export { joinStreams } from "./join-streams.js";
export { type ReadLimits, remoteReader } from "./remote-reader.js";
export { sendBytes } from "./send-bytes.js";
export { serveReader } from "./serve-reader.js";
