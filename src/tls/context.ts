import type { ConnectionOptions, SecureContext } from "node:tls";
import { builtin } from "../builtin.js";
import { unusableOptions } from "./errors.js";

const contexts = new WeakMap<ConnectionOptions, SecureContext>();

/**
 * The secure context of options that many connections are made with: their certificates and keys are read once, which
 * takes a millisecond.
 *
 * @throws TlsError ERR_TLS_CONFIG
 */
export function sharedContext(tls: ConnectionOptions): SecureContext {
  let context = tls.secureContext ?? contexts.get(tls);
  if (context === undefined) {
    try {
      context = builtin.tls.createSecureContext(tls);
    } catch (error) {
      throw unusableOptions(error);
    }
    contexts.set(tls, context);
  }
  return context;
}
