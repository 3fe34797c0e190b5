import type { ParentCall } from "./calls.js";

// What a call takes over from the handler's call that it is made for: grpc-js's flags and rules.

/** grpc-js's `propagate`. */
const flag = { DEADLINE: 1, CANCELLATION: 8 } as const;
const DEFAULTS = 0xffff;

function propagates(flags: number | null | undefined, what: keyof typeof flag): boolean {
  return ((flags ?? DEFAULTS) & flag[what]) !== 0;
}

/** A deadline as milliseconds since the epoch. */
export function deadlineTime(deadline: Date | number | undefined | null): number {
  if (deadline === undefined || deadline === null) return Infinity;
  return deadline instanceof Date ? deadline.getTime() : deadline;
}

/** The earlier one of a call's own deadline and, where it is taken over, its parent's. */
export function deadlineUnder(parent: ParentCall, flags: number | undefined, own: number): number {
  return propagates(flags, "DEADLINE") ? Math.min(own, deadlineTime(parent.getDeadline())) : own;
}

/** Calls back when the parent is cancelled, where that is taken over; returns what takes this back. */
export function followParent(
  parent: ParentCall,
  flags: number | undefined,
  cancelled: () => void,
): () => void {
  if (!propagates(flags, "CANCELLATION")) return () => {};
  parent.on("cancelled", cancelled);
  return () => parent.off("cancelled", cancelled);
}
