import { onceCut } from "../wait.js";
import type { Channel } from "../yamux/index.js";
import { BrokerError } from "./errors.js";

/** The broker's greeting: a stream's id, 4 bytes little-endian (go-plugin: mux_broker.go). */
export function idBytes(id: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(id);
  return bytes;
}

/**
 * Reads the 4 bytes that a brokered stream starts with. What follows them stays in the channel, which is held until
 * the next `attach`. When the signal fires the channel is reset, and the wait rejects with the signal's reason, an error.
 */
export function readId(channel: Channel, signal?: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const held = Buffer.alloc(4);
    let length = 0;
    const settle = onceCut({ what: "a brokered stream's id", ended: signal }, (error) => {
      reject(error);
      channel.destroy();
    });
    if (signal?.aborted) return;
    channel.attach({
      onData(chunk) {
        const taken = chunk.copy(held, length);
        length += taken;
        if (length < 4) return;
        settle();
        if (taken < chunk.length) channel.unshift(chunk.subarray(taken));
        else channel.pause();
        resolve(held.readUInt32LE());
      },
      onEnd() {
        settle();
        reject(
          new BrokerError("ERR_BROKER_CLOSED", `the brokered stream ended after ${length} of its 4 id bytes`),
        );
        channel.destroy();
      },
      onClose(cause) {
        settle();
        reject(new BrokerError("ERR_BROKER_CLOSED", "the brokered stream was closed", { cause }));
      },
    });
  });
}
