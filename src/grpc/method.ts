import type { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

/** A method and how its messages become bytes, in the form of grpc-js's MethodDefinition. */
export interface Method<Q, A> {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (message: Q) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Q;
  readonly responseSerialize: (message: A) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => A;
  /** The name in the .proto file, where proto-loader has changed it. */
  readonly originalName?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: what the messages are is the methods' business
type Any = any;

/** A method, whatever its messages are. */
export type AnyMethod = Method<Any, Any>;

/** Methods by the names that their implementations have. */
export type Methods = { readonly [name: string]: AnyMethod };

/** A type as ts-proto generates it. */
interface MessageType<T> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

/** A service as ts-proto generates it without a framework. */
interface GenericService {
  readonly fullName: string;
  readonly methods: {
    readonly [name: string]: {
      readonly name: string;
      readonly requestType: MessageType<Any>;
      readonly requestStream: boolean;
      readonly responseType: MessageType<Any>;
      readonly responseStream: boolean;
    };
  };
}

type MessageOf<T> = T extends MessageType<infer M> ? M : never;

/** The methods of a service of goplug's own. */
export function methodsOf<S extends GenericService>({
  fullName,
  methods,
}: S): {
  readonly [K in keyof S["methods"]]: Method<
    MessageOf<S["methods"][K]["requestType"]>,
    MessageOf<S["methods"][K]["responseType"]>
  >;
} {
  const defined = Object.entries(methods).map(([key, method]) => {
    const { name, requestType, requestStream, responseType, responseStream } = method;
    return [
      key,
      {
        path: `/${fullName}/${name}`,
        requestStream,
        responseStream,
        ...codec("request", requestType),
        ...codec("response", responseType),
      },
    ];
  });
  return Object.fromEntries(defined);
}

function codec(side: "request" | "response", type: MessageType<Any>): object {
  return {
    [`${side}Serialize`]: (message: Any) => asBuffer(type.encode(message).finish()),
    [`${side}Deserialize`]: (bytes: Buffer) => type.decode(bytes),
  };
}

/** The same bytes as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
