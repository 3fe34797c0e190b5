/**
 * Modules of Node's that only some programs need, loaded when they are first asked for: together they would take 10 ms of
 * every start.
 */
export const builtin = {
  get childProcess() {
    return process.getBuiltinModule("node:child_process");
  },
  get crypto() {
    return process.getBuiltinModule("node:crypto");
  },
  get module() {
    return process.getBuiltinModule("node:module");
  },
  get tls() {
    return process.getBuiltinModule("node:tls");
  },
  get zlib() {
    return process.getBuiltinModule("node:zlib");
  },
};
