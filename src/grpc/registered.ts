import { descriptorFile } from "./protobuf-service.js";
import type { AnyServer } from "./server.js";

/** What was added to a server, for reflection to tell. */
export interface Registered {
  readonly services: ReadonlySet<string>;
  /** Serialized FileDescriptorProtos that came with proto-loader's definitions. */
  readonly files: ReadonlySet<Uint8Array>;
  /** File descriptors of protobuf-es. */
  readonly descFiles: ReadonlySet<object>;
}

interface Definition {
  readonly [descriptorFile]?: object;
  readonly [method: string]: {
    readonly path?: string;
    readonly requestType?: unknown;
    readonly responseType?: unknown;
  };
}

/**
 * Watches the services that are added to a server. grpc-js does not say afterwards, and only some generators give
 * descriptors along.
 */
export function watchServices(server: AnyServer): Registered {
  const services = new Set<string>();
  const files = new Set<Uint8Array>();
  const descFiles = new Set<object>();
  server.onService = (methods) => {
    const described = methods as unknown as Definition;
    if (described[descriptorFile] !== undefined) descFiles.add(described[descriptorFile]);
    for (const { path, requestType, responseType } of Object.values(described)) {
      const service = /^\/([^/]+)\//.exec(path ?? "")?.[1];
      if (service !== undefined) services.add(service);
      for (const type of [requestType, responseType]) {
        const { fileDescriptorProtos } = (type ?? {}) as { fileDescriptorProtos?: Uint8Array[] };
        for (const file of fileDescriptorProtos ?? []) files.add(file);
      }
    }
  };
  return { services, files, descFiles };
}
