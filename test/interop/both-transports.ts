/** What a case's name ends in when it runs over grpc-js's own transport. */
export const byGrpcJs = " by grpc-js's transport";

/** gRPC cases that are not run over that transport, too, and why. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/ without grpc-js( |$)/, "it cannot be found there"],
  [/ suite large fields$/, "over Node's http2 a call whose header block is longer than 64 KiB never ends"],
  [/ traces of grpc-js /, "goplug's own transport has none"],
  [/^(ts->python|python->ts) grpc suite /, "each of these cases runs over both by itself"],
  [/ every check of host-check /, "it looks at a list alone"],
  [
    / hooks (started without the cookie|configuration from the environment)$/,
    "nothing is connected to there",
  ],
  [/^go->ts grpc checks$/, "it stands for the checks of a program that is not there"],
];

/** The gRPC cases among these that should be run over grpc-js's transport as well, and are not. */
export function missingOverGrpcJs(names: ReadonlySet<string>): string[] {
  return [...names].filter(
    (name) =>
      /^\S+ (grpc|hooks) /.test(name) &&
      !name.endsWith(byGrpcJs) &&
      !names.has(name + byGrpcJs) &&
      !reasons.some(([pattern]) => pattern.test(name)),
  );
}
