import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { Method } from "./method.js";
import type { Registered } from "./registered.js";
import { type AnyServer, addOwnService } from "./server.js";
import { GrpcStatus } from "./status.js";

type Call = ServerDuplexStream<Buffer, Buffer>;
type Descriptors = Uint8Array | (() => Uint8Array | Promise<Uint8Array>);
type AnswerBytes = (request: Buffer) => Buffer;

const same = (bytes: Buffer): Buffer => bytes;

/** The method of a version of reflection, by bytes: its types load with the first question. */
function method(version: string): Method<Buffer, Buffer> {
  return {
    path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/**
 * Adds server reflection, v1 and v1alpha, as go-plugin's servers have it (grpcurl and the like ask it). Services are
 * listed whoever generated them; described are those that come with descriptors: goplug's own, proto-loader's,
 * protobuf-es's, and what the user's FileDescriptorSet holds.
 */
export function addReflection(
  server: AnyServer,
  registered: Registered,
  given: Descriptors | undefined,
): void {
  let answers: Promise<AnswerBytes> | undefined;
  const serverReflectionInfo = (call: Call): void => {
    // Most plugins are never asked, and the descriptors' own types take a while to load.
    answers ??= loadAnswers(registered, given);
    answerAll(call, answers);
  };
  for (const version of ["v1", "v1alpha"]) {
    addOwnService(server, { serverReflectionInfo: method(version) }, { serverReflectionInfo });
  }
}

async function loadAnswers(registered: Registered, given: Descriptors | undefined): Promise<AnswerBytes> {
  const { reflectionAnswers } = await import("./reflection-answers.js");
  return reflectionAnswers(registered, typeof given === "function" ? await given() : given);
}

function answerAll(call: Call, loading: Promise<AnswerBytes>): void {
  const fail = (details: string): void =>
    void call.emit("error", { code: GrpcStatus.INTERNAL, details } as never);
  call.on("error", () => {});
  loading.then(
    (answer) => {
      call.on("data", (request: Buffer) => {
        let response: Buffer;
        try {
          response = answer(request);
        } catch {
          fail("Error deserializing request");
          return;
        }
        call.write(response);
      });
      call.on("end", () => call.end());
    },
    (cause: Error) => fail(`the descriptors cannot be read: ${cause.message}`),
  );
}
