export { AbortedError, GoplugError, type GoplugErrorOptions } from "./errors.js";
