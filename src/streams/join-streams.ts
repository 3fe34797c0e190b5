import type { Duplex } from "node:stream";
import { duplex } from "../options.js";
import { limited, type WaitOptions } from "../wait.js";
import { letGo } from "./let-go.js";
import { sendBytes } from "./send-bytes.js";

/**
 * Copies both ways between two streams until both directions have ended: Go's two io.Copy over an io.ReadWriteCloser
 * (a shell, a tunnel). Each end of one is passed on as the end of the other's direction; the failure of either resets both.
 *
 * @throws the first error of either; AbortedError, TimeoutError
 */
export async function joinStreams(a: Duplex, b: Duplex, wait: WaitOptions = {}): Promise<void> {
  duplex("a", a as never);
  duplex("b", b as never);
  return limited({ ...wait, what: "joining two streams" }, async (signal) => {
    const copy = (from: Duplex, to: Duplex): Promise<number> =>
      sendBytes(to, from.iterator({ destroyOnReturn: false }), { signal });
    try {
      await Promise.all([copy(a, b), copy(b, a)]);
    } catch (error) {
      letGo(a, error);
      letGo(b, error);
      throw error;
    }
  });
}
