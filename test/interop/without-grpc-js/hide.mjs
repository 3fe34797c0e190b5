// Makes @grpc/grpc-js unresolvable in the process that preloads this: by import and by require.
import Module, { register } from "node:module";

const missing = "Cannot find package '@grpc/grpc-js': it is hidden in this test";
const hooks = `export function resolve(name, context, next) {
  if (name !== "@grpc/grpc-js" && !name.startsWith("@grpc/grpc-js/")) return next(name, context);
  throw Object.assign(new Error(${JSON.stringify(missing)}), { code: "ERR_MODULE_NOT_FOUND" });
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  if (!/^@grpc\/grpc-js(\/|$)/.test(name)) return resolve.call(this, name, ...rest);
  throw Object.assign(new Error(missing), { code: "MODULE_NOT_FOUND" });
};
