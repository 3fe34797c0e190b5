import { callSite } from "./call-error.js";
import type { CallSettings } from "./call-settings.js";
import type { Calls } from "./calls.js";
import type { ClientMethod, Input } from "./invocation.js";
import { ManyAnswers } from "./many-answers.js";
import { OneAnswer } from "./one-answer.js";

/**
 * Makes a call that has one answer.
 * @param called the function that the caller has called, for stacks
 * @throws GrpcCallError, AbortedError, OptionError
 */
export function callForOne<Q, A>(
  calls: Calls,
  method: ClientMethod<Q, A>,
  input: Input<Q>,
  settings: CallSettings,
  called: (...given: never[]) => unknown,
): Promise<A> {
  const site = callSite(called);
  return new Promise((resolve, reject) => {
    new OneAnswer(method, site, resolve, reject).start(calls, input, settings);
  });
}

/** Makes a call that has many answers; what is wrong with it is the error of the first `next`. */
export function callForMany<Q, A>(
  calls: Calls,
  method: ClientMethod<Q, A>,
  input: Input<Q>,
  settings: CallSettings,
  called: (...given: never[]) => unknown,
): AsyncIterableIterator<A> {
  const call = new ManyAnswers(method, callSite(called));
  call.start(calls, input, settings);
  return call.answers;
}
