/** What a session can be told; all of it has a default. */
export interface SessionOptions {
  /** Streams that the peer may have open at once. Default: no limit, as with Go's gRPC servers. */
  readonly maxConcurrentStreams?: number | undefined;
  /** Bytes of a stream that the peer may send ahead of `consumed`. Default: 1 MiB. */
  readonly streamWindow?: number;
  /** Bytes of a list of header fields that this side takes. Default: 16 MiB, as in grpc-go. */
  readonly maxHeaderListSize?: number | undefined;
  /** Milliseconds of silence after which the peer is asked for a sign of life, and that it has to give one. */
  readonly keepalive?: KeepaliveTimes | undefined;
  /** Which header fields will hardly come again, and are not worth a place in HPACK's table. */
  readonly oneOff?: (name: string, value: string) => boolean;
}

/** In milliseconds. */
export interface KeepaliveTimes {
  readonly time: number;
  readonly timeout: number;
}
