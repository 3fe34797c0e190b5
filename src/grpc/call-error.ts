import type { EndStatus } from "./calls.js";
import { GrpcCallError } from "./errors.js";
import { Metadata } from "./metadata.js";

/** Where a call was made, for the stack of its error: the status comes in another turn of the event loop. */
export interface CallSite {
  readonly stack?: string;
}

/** Notes where a call is made. @param method the function that the caller has called */
export function callSite(method: (...given: never[]) => unknown): CallSite {
  const site: CallSite = {};
  Error.captureStackTrace(site, method);
  return site;
}

/** The error of a call that has ended with another status than OK. */
export function errorOf({ code, details, trailers, cause }: EndStatus, site: CallSite): GrpcCallError {
  const error = new GrpcCallError({ code, details, metadata: Metadata.ofFields(trailers), cause });
  // The first line of the site's stack says "Error".
  const frames = site.stack?.replace(/^[^\n]*\n/, "") ?? "";
  error.stack = `${error.name}: ${error.message}\n${frames}`;
  return error;
}
