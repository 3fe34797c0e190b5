// What the net/rpc tests share: a service, and the other side of a scripted connection.
import * as gob from "../../../src/gob/index.js";
import { type ByteChannel, type ByteChannelHandler, caller, RpcClient } from "../../../src/netrpc/index.js";
import { request, response } from "../../../src/netrpc/messages.js";
import { ScriptedChannel } from "./scripted-channel.js";

export const methods = {
  Add: [gob.struct({ A: gob.int, B: gob.int }, { name: "Args" }), gob.int],
  Echo: [gob.bytes, gob.bytes],
  Wait: [gob.int, gob.int],
  Nothing: [gob.any, gob.any],
} as const;

/** A channel whose other side has not been scripted to end ends it when it is destroyed or ended. */
export interface Written {
  method: string;
  seq: number;
  arg: unknown;
}

/** What stands in a client's bytes: every call, in order. */
export function readCalls(bytes: Buffer): Written[] {
  const decoder = new gob.Decoder();
  decoder.push(bytes);
  const calls: Written[] = [];
  for (;;) {
    const header = decoder.decode(request);
    if (header === gob.NEED_MORE) return calls;
    const name = header.ServiceMethod.split(".").at(-1) as keyof typeof methods;
    const arg: unknown = decoder.decode(methods[name][0]);
    calls.push({ method: header.ServiceMethod, seq: header.Seq, arg });
  }
}

export interface Answered {
  seq: number;
  error: string;
  reply: unknown;
}

/** What stands in a server's bytes: every answer, in order. */
export function readAnswers(bytes: Buffer): Answered[] {
  const decoder = new gob.Decoder();
  decoder.push(bytes);
  const answers: Answered[] = [];
  for (;;) {
    const header = decoder.decode(response);
    if (header === gob.NEED_MORE) return answers;
    const { ServiceMethod: method, Seq: seq } = header;
    const error = header.Error.toString();
    const name = method.split(".").at(-1) as keyof typeof methods;
    const reply: unknown = decoder.decode(error === "" ? methods[name][1] : gob.emptyStruct);
    answers.push({ seq, error, reply });
  }
}

/** Writes a server's answers, as one stream. */
export class Answerer {
  readonly #encoder = new gob.Encoder();

  ok(seq: number, schema: gob.AnySchema, reply: unknown, method = "S.M"): Buffer {
    this.#encoder.encode(response, { ServiceMethod: method, Seq: seq, Error: "" });
    this.#encoder.encode(schema, reply as never);
    return Buffer.from(this.#encoder.take());
  }

  error(seq: number, text: string | Uint8Array, method = "S.M"): Buffer {
    this.#encoder.encode(response, { ServiceMethod: method, Seq: seq, Error: text });
    this.#encoder.encode(gob.emptyStruct, {});
    return Buffer.from(this.#encoder.take());
  }

  header(seq: number): Buffer {
    this.#encoder.encode(response, { ServiceMethod: "S.M", Seq: seq, Error: "" });
    return Buffer.from(this.#encoder.take());
  }
}

/** Writes a client's calls, as one stream. */
export class Asker {
  readonly #encoder = new gob.Encoder();
  #seq = 0;

  call(method: string, schema: gob.AnySchema, arg: unknown): Buffer {
    this.#encoder.encode(request, { ServiceMethod: method, Seq: this.#seq++ });
    this.#encoder.encode(schema, arg as never);
    return Buffer.from(this.#encoder.take());
  }

  header(method: string): Buffer {
    this.#encoder.encode(request, { ServiceMethod: method, Seq: this.#seq++ });
    return Buffer.from(this.#encoder.take());
  }
}

export function scripted(options: ConstructorParameters<typeof RpcClient>[1] = {}) {
  const channel = new ScriptedChannel();
  const client = new RpcClient(channel, options);
  return { channel, client, rpc: caller(client, "Test", methods), answers: new Answerer() };
}

/** Two channels, each the other's peer. Bytes arrive in a later turn, as lent memory. */
export function channelPair(): [ByteChannel, ByteChannel] {
  const a = new PairEnd();
  const b = new PairEnd();
  a.peer = b;
  b.peer = a;
  return [a, b];
}

class PairEnd implements ByteChannel {
  peer!: PairEnd;
  #handler!: ByteChannelHandler;
  #over = false;
  /** What is held back while paused. */
  #held: (() => void)[] | undefined;

  attach(handler: ByteChannelHandler): void {
    this.#handler = handler;
  }

  write(chunk: Uint8Array): boolean {
    const lent = Buffer.from(chunk);
    queueMicrotask(() =>
      this.peer.#deliver(() => {
        this.peer.#handler.onData(lent);
        lent.fill(0xee);
      }),
    );
    return true;
  }

  end(): void {
    queueMicrotask(() => this.peer.#deliver(() => this.peer.#handler.onEnd()));
  }

  destroy(error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    queueMicrotask(() => this.#handler.onClose(error));
    this.peer.destroy(new Error("the peer hung up"));
  }

  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) this.#deliver(go);
  }

  #deliver(go: () => void): void {
    if (this.#over) return;
    if (this.#held === undefined) go();
    else this.#held.push(go);
  }
}
