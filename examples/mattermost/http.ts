// HTTP between server and plugin, as the web's Request and Response: a request's body is a brokered stream that the
// reader asks for bytes, the answer a net/rpc service for Go's http.ResponseWriter.
import type { Duplex } from "node:stream";
import { type ByteSource, type MuxBroker, remoteReader, sendBytes, serveReader } from "goplug";
import {
  type HTTPRequestSubset,
  type HTTPRequestSubsetInput,
  httpResponseWriterRPCServer,
} from "./gen/definitions.ts";

type Header = Map<string, string[]>;
type HeaderInput = Record<string, string[]>;

export function headersOf(header: Header): Headers {
  const headers = new Headers();
  for (const [name, values] of header) for (const value of values) headers.append(name, value);
  return headers;
}

/** Go's spelling: `X-Length`. */
const canonical = (name: string): string => name.replace(/(^|-)[a-z]/g, (part) => part.toUpperCase());

export function headerOf(headers: Headers): HeaderInput {
  const header: HeaderInput = {};
  for (const [name, value] of headers) {
    const key = canonical(name);
    header[key] = [...(header[key] ?? []), value];
  }
  return header;
}

/** Makes what travels of a request; its body is served at the broker id that comes with it, 0 for none. */
export function sendRequest(
  request: Request,
  broker: MuxBroker,
): { request: HTTPRequestSubsetInput; body: number } {
  const url = new URL(request.url);
  const path = url.pathname + url.search;
  return {
    request: {
      Method: request.method,
      URL: path,
      Proto: "HTTP/1.1",
      ProtoMajor: 1,
      ProtoMinor: 1,
      Header: headerOf(request.headers),
      Host: url.host,
      RequestURI: path,
    },
    body: request.body === null ? 0 : offerReader(broker, request.body),
  };
}

/** Reads what travels of a request, and dials its body. */
export async function receiveRequest(
  subset: HTTPRequestSubset,
  body: number,
  broker: MuxBroker,
): Promise<Request> {
  const { Method: method, URL: url, RequestURI: uri, Host: host, Header: header } = subset;
  const stream = body === 0 ? undefined : remoteReader(await broker.dial(body));
  const bare = method === "GET" || method === "HEAD";
  if (bare) stream?.destroy();
  return new Request(new URL(url ?? uri, `http://${host || "localhost"}`), {
    method,
    headers: headersOf(header),
    ...(stream === undefined || bare
      ? {}
      : { body: stream as unknown as ReadableStream, duplex: "half" as const }),
  });
}

/** Offers bytes to the other side, which asks for them as Go's readers do, and gives the broker id. */
export function offerReader(broker: MuxBroker, source: ByteSource): number {
  // Where the source fails the other side sees its stream reset; one that hangs up before the end has no use for the rest.
  return broker.offer((stream) => serveReader(stream, source).catch(() => {}));
}

/** Plugin: writes a response to the server's http.ResponseWriter. */
export async function writeResponse(response: Response, id: number, broker: MuxBroker): Promise<void> {
  const writer = await broker.connect(id, httpResponseWriterRPCServer);
  try {
    const header = await writer.Header({});
    for (const [name, values] of Object.entries(headerOf(response.headers))) header.set(name, values);
    await writer.SyncHeader(header);
    await writer.WriteHeader(response.status);
    for await (const chunk of response.body ?? []) await writer.Write(chunk);
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

/** Server: the http.ResponseWriter of one request. */
export interface ResponseReader {
  /** The broker id for the plugin. */
  readonly id: number;
  /** Resolves when the plugin has sent the status; the body may still be on its way. */
  readonly response: Promise<Response>;
  /** The plugin has said everything. */
  end(): void;
  /** It will not: with the call's error. */
  fail(error: unknown): void;
}

export function readResponse(broker: MuxBroker): ResponseReader {
  let header: Header = new Map();
  let begun = false;
  let answer!: (response: Response) => void;
  let refuse!: (error: unknown) => void;
  const response = new Promise<Response>((resolve, reject) => {
    [answer, refuse] = [resolve, reject];
  });
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const body = writable.getWriter();
  // Whoever reads the body is told; nobody may.
  body.closed.catch(() => {});
  const begin = (status: number): void => {
    if (begun) return;
    begun = true;
    const empty = [101, 204, 205, 304].includes(status);
    answer(new Response(empty ? null : readable, { status, headers: headersOf(header) }));
  };
  const receiver = {
    Header: () => header,
    SyncHeader(sent: Header) {
      header = sent;
      return {};
    },
    WriteHeader(status: number) {
      if (status < 200 || status > 599) throw new Error("invalid http status code");
      begin(status);
      return {};
    },
    async Write(chunk: Uint8Array) {
      begin(200);
      await body.write(chunk);
      return {};
    },
    Flush: () => ({}),
  };
  return {
    id: broker.serve(httpResponseWriterRPCServer, receiver, { optional: true }),
    response,
    end() {
      begin(200);
      body.close().catch(() => {});
    },
    fail(error) {
      refuse(error);
      body.abort(error).catch(() => {});
    },
  };
}

/** Sends a response's body as raw bytes; what the other side writes meanwhile is nobody's. */
export async function sendBody(stream: Duplex, body: ReadableStream<Uint8Array> | null): Promise<void> {
  stream.resume();
  await sendBytes(stream, body ?? []);
}
