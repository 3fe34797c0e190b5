import { RemoteError } from "./errors.js";
import { isMissing } from "./messages.js";
import { nearMisses } from "./near-misses.js";

/** The methods that a client is known to be used for: who calls another one is told what may have been meant. */
export class DefinedMethods {
  readonly #names = new Set<string>();

  add(service: string, methods: Iterable<string>): void {
    for (const name of methods) this.#names.add(`${service}.${name}`);
  }

  /** The error of a call that the peer has refused with this text. */
  refusal(text: string, serviceMethod: string): RemoteError {
    const meant = isMissing(text) ? nearMisses(serviceMethod, this.#names) : [];
    return new RemoteError(text, serviceMethod, meant);
  }
}
