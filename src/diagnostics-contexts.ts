/** What is common to the contexts of all tracing channels: set by the time of `asyncEnd` and `error`. */
export interface Traced {
  /** The executable of the plugin, or what else names it; undefined where there is no process (`goplug/netrpc` alone). */
  readonly plugin: string | undefined;
  /** What came of it. */
  result?: unknown;
  /** What it failed with. */
  error?: unknown;
}

/** `goplug:start`: from the decision to start a plugin to its accepted handshake, or a reattachment. */
export interface StartTrace extends Traced {
  /** Whether the plugin runs already. */
  readonly reattach: boolean;
}

/** `goplug:handshake`: from the start of the process to its handshake line; the result is the parsed line. */
export interface HandshakeTrace extends Traced {
  /** The runner's id: a pid, for a process. */
  readonly id: string;
}

/** `goplug:connect`: the way to the announced address, TLS included. */
export interface ConnectTrace extends Traced {
  /** What the plugin announced. */
  readonly protocol: "netrpc" | "grpc";
  /** `unix` or `tcp`. */
  readonly network: string;
  /** A socket's path, or `host:port`. */
  readonly address: string;
}

/** `goplug:dispense`: a plugin type is asked for. */
export interface DispenseTrace extends Traced {
  /** The name that it is dispensed under. */
  readonly name: string;
}

/** `goplug:call`: one call to the other side; over gRPC also a stream, from its start to its status. */
export interface CallTrace extends Traced {
  /** What the call goes over. */
  readonly protocol: "netrpc" | "grpc";
  /** `Plugin.Get`, or `/proto.KV/Get`. */
  readonly method: string;
  /** Bytes of all messages of the call, without frames and headers of the transport. */
  requestBytes: number;
  /** The same of the answers. */
  replyBytes: number;
  /** gRPC: what goes to the other side. A subscriber of `start` may add to it (W3C's `traceparent`). */
  readonly metadata: unknown;
}

/** `goplug:exit`: a plugin's process has ended, and what it left is removed. */
export interface ExitMessage {
  /** The executable, or what else names the plugin. */
  readonly plugin: string;
  /** The runner's id: a pid, for a process. */
  readonly id: string;
  /** The exit code; null where a signal ended it, or nobody could tell. */
  readonly code: number | null;
  /** The signal, such as `SIGKILL`; null where it exited. */
  readonly signal: string | null;
}

/** `goplug:stream`: a yamux stream begins, or is over in both directions. */
export interface StreamMessage {
  /** `open` by this side, `accept` of one that the other side has opened; `close` of either, however it ended. */
  readonly action: "open" | "accept" | "close";
  /** The stream's id: odd for those of the side that dialled. */
  readonly id: number;
  /** Bytes of payload sent on it up to now. */
  readonly sentBytes: number;
  /** Bytes of payload received on it up to now. */
  readonly receivedBytes: number;
}

/** `goplug:broker`: a brokered stream stands (net/rpc). */
export interface BrokerMessage {
  /** What this side did. */
  readonly action: "accept" | "dial";
  /** The brokered id. */
  readonly id: number;
}
