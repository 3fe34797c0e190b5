import { uint } from "../gob/index.js";

/**
 * How one goplug peer tells another that nobody waits for a call any more: net/rpc has nothing for that. It is a call like any
 * other, of a name that nobody else serves, with the `Seq` of the call that was abandoned. Go's server answers that
 * there is no such service, and goes on.
 */
export const CANCEL_METHOD = "Goplug.Cancel";
export const cancelArg = uint;
