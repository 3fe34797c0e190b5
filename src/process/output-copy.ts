import type { Writable } from "node:stream";
import type { Logger } from "../hclog/logger.js";

/** Where one plugin's output goes. */
export interface OutputCopy {
  /** Hands over bytes, which must not be changed afterwards. False: wait for `onReady`. Never throws. */
  write(chunk: Buffer): boolean;
  /** Nothing more will come. The writer itself is left open. */
  end(): void;
}

export interface OutputCopyOptions {
  /** The user's writer; without one the output is dropped. */
  readonly writer: Writable | undefined;
  /** What is copied, and the option that takes it, for messages. */
  readonly from: "stdout" | "stderr";
  readonly option: "syncStdout" | "syncStderr" | "stderr";
  readonly logger: Logger;
  /** More can be written: the writer has room, or takes nothing any more. */
  readonly onReady: () => void;
}

/**
 * Copies a plugin's output to a writer of the user's, which may be slow, may break, may be shared by many plugins, and
 * must never end the host: an 'error' is logged, and what comes after it is dropped, as is what nobody takes. Each is
 * said once.
 */
export function copyOutput(options: OutputCopyOptions): OutputCopy {
  const { writer, from, option, logger, onReady } = options;
  let told = false;
  const tell = (message: string, fields: Record<string, unknown>): void => {
    if (!told) logger.warn(message, fields);
    told = true;
  };
  if (writer === undefined) {
    return {
      write(chunk) {
        if (!told && chunk.length > 0) {
          const start = chunk.toString("utf8", 0, SHOWN_BYTES);
          tell(`what the plugin prints to its ${from} is dropped: the host has no ${option}`, { start });
        }
        return true;
      },
      end() {},
    };
  }
  const shared = SharedWriter.of(writer);
  const user: WriterUser = {
    onReady,
    onError: (error) => tell(`${option} failed: what the plugin prints to its ${from} is dropped`, { error }),
  };
  shared.join(user);
  return {
    write(chunk) {
      if (writer.writable) return shared.write(chunk, user);
      tell(`${option} is closed: what the plugin prints to its ${from} is dropped`, {});
      return true;
    },
    end: () => shared.leave(user),
  };
}

/** How much of dropped output a message shows. */
const SHOWN_BYTES = 120;

interface WriterUser {
  onReady(): void;
  onError(error: Error): void;
}

/** A writer with one listener for each event, however many plugins write to it. */
class SharedWriter {
  static readonly #known = new WeakMap<Writable, SharedWriter>();
  readonly #writer: Writable;
  readonly #users = new Set<WriterUser>();
  /** Writes whose outcome is not known: their failure would come when nobody uses the writer any more. */
  #pending = 0;
  #listening = false;

  private constructor(writer: Writable) {
    this.#writer = writer;
  }

  static of(writer: Writable): SharedWriter {
    const known = SharedWriter.#known.get(writer);
    if (known !== undefined) return known;
    const shared = new SharedWriter(writer);
    SharedWriter.#known.set(writer, shared);
    return shared;
  }

  join(user: WriterUser): void {
    this.#users.add(user);
    if (this.#listening) return;
    this.#listening = true;
    this.#writer.on("drain", this.#onReady).on("close", this.#onReady).on("error", this.#onError);
  }

  leave(user: WriterUser): void {
    this.#users.delete(user);
    this.#stopListening();
  }

  write(chunk: Buffer, user: WriterUser): boolean {
    this.#pending++;
    try {
      return this.#writer.write(chunk, (error) => {
        this.#pending--;
        // After a failed write the error itself is still to come.
        if (!error) this.#stopListening();
      });
    } catch (error) {
      this.#pending--;
      user.onError(error as Error);
      return true;
    }
  }

  #stopListening(): void {
    if (!this.#listening || this.#users.size > 0 || this.#pending > 0) return;
    this.#listening = false;
    this.#writer.off("drain", this.#onReady).off("close", this.#onReady).off("error", this.#onError);
  }

  readonly #onReady = (): void => {
    for (const user of this.#users) user.onReady();
  };

  readonly #onError = (error: Error): void => {
    for (const user of this.#users) user.onError(error);
  };
}
