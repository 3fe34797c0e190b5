/** The little that the drivers need of a stream, so that each implementation is used in its own best way. */
export interface Link {
  /** False: wait for drain. */
  write(chunk: Buffer): boolean;
  end(): void;
}

export interface Events {
  /** The chunk is valid during the call. */
  data(chunk: Buffer): void;
  drain(): void;
  /** The peer has ended, and for streams that carried nothing, the stream is over. */
  end(): void;
}

/** Opens a stream on a session that is there already. */
export type Open = (events: Events) => Link;
