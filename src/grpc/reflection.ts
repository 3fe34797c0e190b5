import { type Server, type ServerDuplexStream, type ServiceDefinition, status } from "@grpc/grpc-js";
import type { DescriptorIndex } from "./descriptor-index.js";
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionService,
} from "./gen/grpc/reflection/v1/reflection.js";
import type { Registered } from "./registered.js";

type Call = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;
type Descriptors = Uint8Array | (() => Uint8Array | Promise<Uint8Array>);
type Answer = ServerReflectionResponse["messageResponse"];

/**
 * Adds server reflection, v1 and v1alpha, as go-plugin's servers have it (grpcurl and the like ask it). Services are
 * listed whoever generated them; described are those that come with descriptors: goplug's own, proto-loader's,
 * protobuf-es's, and what the user's FileDescriptorSet holds.
 */
export function addReflection(server: Server, registered: Registered, given: Descriptors | undefined): void {
  let index: Promise<DescriptorIndex> | undefined;
  const serverReflectionInfo = (call: Call): void => {
    // Most plugins are never asked, and the descriptors' own types take a while to load.
    index ??= loadIndex(registered, given);
    answerAll(call, registered, index);
  };
  const { serverReflectionInfo: v1 } = ServerReflectionService;
  const alpha = { ...v1, path: v1.path.replace(".v1.", ".v1alpha.") };
  server.addService(ServerReflectionService as unknown as ServiceDefinition, { serverReflectionInfo });
  server.addService({ serverReflectionInfo: alpha } as unknown as ServiceDefinition, {
    serverReflectionInfo,
  });
}

async function loadIndex(registered: Registered, given: Descriptors | undefined): Promise<DescriptorIndex> {
  const { DescriptorIndex } = await import("./descriptor-index.js");
  return new DescriptorIndex(registered, typeof given === "function" ? await given() : given);
}

function answerAll(call: Call, registered: Registered, loading: Promise<DescriptorIndex>): void {
  call.on("error", () => {});
  loading.then(
    (index) => {
      call.on("data", (request: ServerReflectionRequest) => {
        const messageResponse = answer(request.messageRequest, registered, index);
        call.write({ validHost: request.host, originalRequest: request, messageResponse });
      });
      call.on("end", () => call.end());
    },
    (cause: Error) => {
      const details = `the descriptors cannot be read: ${cause.message}`;
      call.emit("error", { code: status.INTERNAL, details });
    },
  );
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
      return error(status.INVALID_ARGUMENT, "the request asks for nothing that is known");
  }
}

function files(found: Uint8Array[] | undefined, what: string): Answer {
  if (found === undefined) return notFound(what);
  const fileDescriptorProto = found.map((bytes) => Buffer.from(bytes));
  return { $case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function notFound(what: string): Answer {
  return error(status.NOT_FOUND, `${what} is not known, or came without a descriptor`);
}

function error(errorCode: number, errorMessage: string): Answer {
  return { $case: "errorResponse", value: { errorCode, errorMessage } };
}
