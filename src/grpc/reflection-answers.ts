import { DescriptorIndex } from "./descriptor-index.js";
import { ServerReflectionRequest, ServerReflectionResponse } from "./gen/grpc/reflection/v1/reflection.js";
import { asBuffer } from "./method.js";
import type { Registered } from "./registered.js";
import { GrpcStatus } from "./status.js";

type Answer = ServerReflectionResponse["messageResponse"];

/**
 * Makes what answers reflection's requests, from bytes to bytes.
 *
 * @param set a serialized google.protobuf.FileDescriptorSet
 */
export function reflectionAnswers(
  registered: Registered,
  set: Uint8Array | undefined,
): (request: Uint8Array) => Buffer {
  const index = new DescriptorIndex(registered, set);
  return (bytes) => {
    const originalRequest = ServerReflectionRequest.decode(bytes);
    const messageResponse = answer(originalRequest.messageRequest, registered, index);
    const { host: validHost } = originalRequest;
    return asBuffer(
      ServerReflectionResponse.encode({ validHost, originalRequest, messageResponse }).finish(),
    );
  };
}

function answer(
  request: ServerReflectionRequest["messageRequest"],
  { services }: Registered,
  index: DescriptorIndex,
): Answer {
  switch (request?.$case) {
    case "listServices": {
      const service = [...services].sort().map((name) => ({ name }));
      return { $case: "listServicesResponse", value: { service } };
    }
    case "fileByFilename":
      return files(index.file(request.value), `file ${request.value}`);
    case "fileContainingSymbol":
      return files(index.symbol(request.value), `symbol ${request.value}`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = request.value;
      return files(
        index.extension(containingType, extensionNumber),
        `extension ${extensionNumber} of ${containingType}`,
      );
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.extensionNumbers(request.value);
      if (extensionNumber === undefined) return notFound(`type ${request.value}`);
      return {
        $case: "allExtensionNumbersResponse",
        value: { baseTypeName: request.value, extensionNumber },
      };
    }
    default:
      return error(GrpcStatus.INVALID_ARGUMENT, "the request asks for nothing that is known");
  }
}

function files(found: Uint8Array[] | undefined, what: string): Answer {
  if (found === undefined) return notFound(what);
  const fileDescriptorProto = found.map((bytes) => Buffer.from(bytes));
  return { $case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function notFound(what: string): Answer {
  return error(GrpcStatus.NOT_FOUND, `${what} is not known, or came without a descriptor`);
}

function error(errorCode: number, errorMessage: string): Answer {
  return { $case: "errorResponse", value: { errorCode, errorMessage } };
}
