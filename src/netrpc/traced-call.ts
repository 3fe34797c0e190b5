import { type CallObserver, ObservedCall } from "../diagnostics.js";
import type { CallTrace } from "../diagnostics-contexts.js";

/** Makes a call whose begin and end those are told who trace calls. */
export function tracedCall<T>(
  observer: CallObserver | undefined,
  method: string,
  begin: (trace: CallTrace | undefined) => Promise<T>,
): Promise<T> {
  const call = { protocol: "netrpc", method, metadata: undefined } as const;
  const observed = ObservedCall.traced(observer?.plugin, call);
  const answer = observed.begin(begin);
  answer.then(
    () => observed.succeed(),
    (error: unknown) => observed.fail(error),
  );
  return answer;
}
