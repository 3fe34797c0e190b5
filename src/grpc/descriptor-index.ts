import { type DescFile, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { descriptors } from "./gen/descriptors.js";
import type { Registered } from "./registered.js";

interface IndexedFile {
  readonly bytes: Uint8Array;
  readonly dependencies: readonly string[];
}

/** Finds descriptors by file, symbol and extension. */
export class DescriptorIndex {
  readonly #files = new Map<string, IndexedFile>();
  readonly #fileOfSymbol = new Map<string, string>();
  /** Extended type to field number to file. */
  readonly #extensions = new Map<string, Map<number, string>>();

  /** @param set a serialized google.protobuf.FileDescriptorSet */
  constructor({ files, descFiles }: Registered, set: Uint8Array | undefined) {
    for (const base64 of Object.values(descriptors)) this.#addBytes(Buffer.from(base64, "base64"));
    for (const bytes of files) this.#addBytes(bytes);
    for (const file of descFiles) this.#addDescFile(file as DescFile);
    if (set !== undefined) {
      for (const file of fromBinary(FileDescriptorSetSchema, set).file) this.#add(file);
    }
  }

  /** The file and all that it depends on, serialized; undefined if there is none of that name. */
  file(name: string): Uint8Array[] | undefined {
    if (!this.#files.has(name)) return undefined;
    const found = new Set<string>();
    const visit = (file: string): void => {
      if (found.has(file)) return;
      found.add(file);
      for (const dependency of this.#files.get(file)?.dependencies ?? []) visit(dependency);
    };
    visit(name);
    return [...found].flatMap((file) => this.#files.get(file)?.bytes ?? []);
  }

  symbol(name: string): Uint8Array[] | undefined {
    const file = this.#fileOfSymbol.get(name.replace(/^\./, ""));
    return file === undefined ? undefined : this.file(file);
  }

  extension(type: string, number: number): Uint8Array[] | undefined {
    const file = this.#extensions.get(type)?.get(number);
    return file === undefined ? undefined : this.file(file);
  }

  /** The numbers of a type's extensions; undefined for a type that is not known. */
  extensionNumbers(type: string): number[] | undefined {
    if (!this.#fileOfSymbol.has(type)) return undefined;
    return [...(this.#extensions.get(type)?.keys() ?? [])].sort((a, b) => a - b);
  }

  #addDescFile(file: DescFile): void {
    for (const dependency of file.dependencies) this.#addDescFile(dependency);
    this.#add(file.proto);
  }

  #addBytes(bytes: Uint8Array): void {
    this.#add(fromBinary(FileDescriptorProtoSchema, bytes), bytes);
  }

  #add(file: FileDescriptorProto, bytes: Uint8Array = toBinary(FileDescriptorProtoSchema, file)): void {
    if (this.#files.has(file.name)) return;
    this.#files.set(file.name, { bytes, dependencies: file.dependency });
    const scope = file.package === "" ? "" : `${file.package}.`;
    const symbol = (name: string): void => void this.#fileOfSymbol.set(name, file.name);
    const extensions = (fields: readonly FieldDescriptorProto[]): void => {
      for (const field of fields) this.#addExtension(field, file.name);
    };
    const message = (type: DescriptorProto, within: string): void => {
      const name = within + type.name;
      symbol(name);
      for (const nested of type.nestedType) message(nested, `${name}.`);
      for (const { name: nested } of type.enumType) symbol(`${name}.${nested}`);
      for (const { name: field } of type.field) symbol(`${name}.${field}`);
      extensions(type.extension);
    };
    for (const type of file.messageType) message(type, scope);
    for (const { name } of file.enumType) symbol(scope + name);
    for (const service of file.service) {
      symbol(scope + service.name);
      for (const { name } of service.method) symbol(`${scope}${service.name}.${name}`);
    }
    for (const { name } of file.extension) symbol(scope + name);
    extensions(file.extension);
  }

  #addExtension({ extendee, number }: FieldDescriptorProto, file: string): void {
    const type = extendee.replace(/^\./, "");
    const known = this.#extensions.get(type) ?? new Map<number, string>();
    this.#extensions.set(type, known.set(number, file));
  }
}
