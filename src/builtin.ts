/**
 * Modules of Node's that only some programs need, loaded when they are first asked for: together they would take 10 ms of
 * every start.
 */
export const builtin = {
  get childProcess() {
    return process.getBuiltinModule("node:child_process");
  },
  get console() {
    return process.getBuiltinModule("node:console");
  },
  get crypto() {
    return process.getBuiltinModule("node:crypto");
  },
  get tls() {
    const tls = process.getBuiltinModule("node:tls");
    // In Node 20 it is missing, and nothing of tls works, if X509Certificate's toLegacyObject was called before tls was loaded.
    tls.createSecureContext ??= (process.getBuiltinModule("_tls_common") as typeof tls).createSecureContext;
    return tls;
  },
  get zlib() {
    return process.getBuiltinModule("node:zlib");
  },
};
