import { promisify } from "node:util";
import * as protobuf from "@bufbuild/protobuf";
import { type Client, credentials, makeClientConstructor, type ServiceError } from "@grpc/grpc-js";
import { protobufService } from "goplug";
import { KVGetRequestSchema, type KVGetResponse, KVSetRequestSchema, PluginAPI } from "./gen/hooks_pb.ts";

type Call = (
  request: protobuf.Message,
  options: { deadline: number },
  done: (error: ServiceError | null, answer?: unknown) => void,
) => void;

/** The API is on this machine: a proxy of the environment is not asked, as grpc-js would. */
const direct = { "grpc.enable_http_proxy": 0 };

/** The server's API. It connects when it is first used. */
export class ApiClient {
  readonly #target: string;
  readonly #timeout: number;
  #client: (Client & Record<string, unknown>) | undefined;

  constructor(target: string, timeout: number) {
    this.#target = target;
    this.#timeout = timeout;
  }

  get connected(): boolean {
    return this.#client !== undefined;
  }

  async kvSet(key: string, value: Uint8Array): Promise<void> {
    await this.#call("kVSet", protobuf.create(KVSetRequestSchema, { key, value }));
  }

  async kvGet(key: string): Promise<Uint8Array> {
    const answer = await this.#call("kVGet", protobuf.create(KVGetRequestSchema, { key }));
    return (answer as KVGetResponse).value;
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  #call(method: string, request: protobuf.Message): Promise<unknown> {
    if (this.#client === undefined) {
      const Class = makeClientConstructor(protobufService(PluginAPI, protobuf), PluginAPI.typeName);
      this.#client = new Class(this.#target, credentials.createInsecure(), direct) as never;
    }
    const call = (this.#client![method] as Call).bind(this.#client);
    return promisify(call)(request, { deadline: Date.now() + this.#timeout });
  }
}
