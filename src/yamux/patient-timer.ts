import { startTimer } from "../wait.js";

// A timer that is later than this was held up: the process computed, was stopped, or slept.
const SLACK = 20;

/**
 * Calls `verdict` when the peer has had its time. A time during which this process stood still does not count: neither
 * could it have read an answer, nor need a peer on the same machine have been running. Does not keep the process alive.
 *
 * @param milliseconds until the verdict
 * @param patience at most how many milliseconds are given anew after a standstill
 * @returns what takes it back
 */
export function startPatientTimer(milliseconds: number, patience: number, verdict: () => void): () => void {
  let stop: () => void;
  const arm = (delay: number): void => {
    const due = performance.now() + delay;
    const onTime = (): void => {
      const late = performance.now() - due;
      if (late > SLACK) arm(Math.min(late, patience));
      else verdict();
    };
    stop = startTimer(delay, onTime, false);
  };
  arm(milliseconds);
  return () => stop();
}
