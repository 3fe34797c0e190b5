import { badOption, OptionError } from "../errors.js";
import type { HeaderList } from "../http2/index.js";
import { isObject } from "../options.js";

/** A value of metadata: bytes under keys that end in `-bin`, printable ASCII under all others. */
export type MetadataValue = string | Buffer;

/** How a call with this metadata is made; only grpc-js's own transport heeds them. */
export interface MetadataOptions {
  /** The call may be made more than once. */
  idempotentRequest?: boolean;
  /** Wait for a connection instead of failing without one. */
  waitForReady?: boolean;
  /** The answer may come from a cache. */
  cacheableRequest?: boolean;
  /** The metadata may wait for the first message. */
  corked?: boolean;
}

/** What {@link Metadata} and grpc-js's class of that name have in common. */
export interface MetadataLike {
  /** All values by their keys. */
  toJSON(): { [key: string]: MetadataValue[] };
  /** How a call with it is made. */
  getOptions(): MetadataOptions;
  /** A copy, which has its own values. */
  clone(): MetadataLike;
  /** As fields of HTTP/2: binary values in base64. */
  toHttp2Headers(): { [key: string]: string | string[] | number | undefined };
}

/** Whatever stands for metadata: goplug's class, grpc-js's, or an object of keys with a value or a list of values each. */
export type MetadataInit =
  | MetadataLike
  | { readonly [key: string]: string | Uint8Array | readonly (string | Uint8Array)[] };

const legalKey = /^[:0-9a-z_.-]+$/;
const legalText = /^[ -~]*$/;

/**
 * What goes with a call beside its messages: keys, in any case, with values in order. It has the methods of grpc-js's
 * class of this name; a plain object will do wherever goplug takes metadata.
 */
export class Metadata implements MetadataLike {
  #options: MetadataOptions;
  #values: Map<string, MetadataValue[]> | undefined;
  /** Received fields that nobody has looked at yet. */
  #fields: HeaderList | undefined;

  constructor(options: MetadataOptions = {}) {
    this.#options = options;
  }

  /**
   * Metadata of what stands for it.
   * @throws OptionError - a key or value that gRPC does not allow
   */
  static from(init: MetadataInit): Metadata {
    if (init instanceof Metadata) return init;
    if (isMetadata(init)) {
      const metadata = new Metadata(init.getOptions());
      metadata.merge(init);
      return metadata;
    }
    if (!isObject(init) || Symbol.iterator in init) {
      throw badOption("metadata", "an object of keys and values, or Metadata", init);
    }
    const metadata = new Metadata();
    for (const [key, given] of Object.entries(init)) {
      if (Array.isArray(given)) for (const value of given) metadata.add(key, value);
      else metadata.set(key, given as string | Uint8Array);
    }
    return metadata;
  }

  /** @internal The metadata that header fields say; what cannot be in it is left out. */
  static ofFields(fields: HeaderList): Metadata {
    const metadata = new Metadata();
    metadata.#fields = fields;
    return metadata;
  }

  /**
   * Replaces the values of a key by one.
   * @throws OptionError - a key or value that gRPC does not allow
   */
  set(key: string, value: string | Uint8Array): void {
    const name = key.toLowerCase();
    this.#map.set(name, [checked(name, value)]);
  }

  /**
   * Adds a value to those of a key.
   * @throws OptionError - a key or value that gRPC does not allow
   */
  add(key: string, value: string | Uint8Array): void {
    const name = key.toLowerCase();
    this.#append(name, checked(name, value));
  }

  /** Removes a key and its values. */
  remove(key: string): void {
    this.#map.delete(key.toLowerCase());
  }

  /** The values of a key, in order; none for one that is not there. */
  get(key: string): MetadataValue[] {
    return this.#map.get(key.toLowerCase()) ?? [];
  }

  /** The first value of each key. */
  getMap(): { [key: string]: MetadataValue } {
    const first: { [key: string]: MetadataValue } = {};
    for (const [key, [value]] of this.#map) if (value !== undefined) first[key] = copy(value);
    return first;
  }

  /** A copy, which has its own values. */
  clone(): Metadata {
    const metadata = new Metadata(this.#options);
    for (const [key, values] of this.#map) metadata.#map.set(key, values.map(copy));
    return metadata;
  }

  /** Adds all values of other metadata, goplug's or grpc-js's. */
  merge(other: MetadataLike): void {
    for (const [key, values] of Object.entries(other.toJSON())) {
      for (const value of values) this.#append(key, value);
    }
  }

  /** Replaces the options. */
  setOptions(options: MetadataOptions): void {
    this.#options = options;
  }

  getOptions(): MetadataOptions {
    return this.#options;
  }

  /** As fields of HTTP/2: binary values in base64. grpc-js's `Metadata.fromHttp2Headers` makes its own class of it. */
  toHttp2Headers(): { [key: string]: string | string[] } {
    const fields: { [key: string]: string | string[] } = {};
    for (const [key, values] of this.#map) {
      if (key.startsWith(":")) continue;
      const texts = values.map((value) => (typeof value === "string" ? value : value.toString("base64")));
      fields[key] = texts.length === 1 ? texts[0]! : texts;
    }
    return fields;
  }

  /** All values by their keys. */
  toJSON(): { [key: string]: MetadataValue[] } {
    return Object.fromEntries(this.#map);
  }

  get #map(): Map<string, MetadataValue[]> {
    if (this.#values === undefined) {
      this.#values = new Map();
      if (this.#fields !== undefined) readFields(this.#fields, (key, value) => this.#append(key, value));
      this.#fields = undefined;
    }
    return this.#values;
  }

  #append(key: string, value: MetadataValue): void {
    const values = this.#map.get(key);
    if (values === undefined) this.#map.set(key, [value]);
    else values.push(value);
  }
}

/** Whether a value is metadata, goplug's or grpc-js's. */
export function isMetadata(value: unknown): value is MetadataLike {
  const { toJSON, getOptions } = (value ?? {}) as Partial<MetadataLike>;
  return typeof toJSON === "function" && typeof getOptions === "function";
}

/** Tells the keys and values that header fields say; what cannot be metadata is left out. */
export function readFields(fields: HeaderList, tell: (key: string, value: MetadataValue) => void): void {
  for (let i = 0; i < fields.length; i += 2) {
    const key = fields[i]!;
    const value = fields[i + 1]!;
    if (key.charCodeAt(0) === 0x3a || key === "grpc-encoding" || key === "grpc-accept-encoding") continue;
    if (key.endsWith("-bin")) {
      for (const part of value.split(",")) tell(key, Buffer.from(part.trim(), "base64"));
    } else if (legalText.test(value)) tell(key, value);
  }
}

function checked(key: string, value: string | Uint8Array): MetadataValue {
  if (!legalKey.test(key))
    throw new OptionError("metadata", `Metadata key "${key}" contains illegal characters`);
  if (key.endsWith("-bin")) {
    if (!(value instanceof Uint8Array))
      throw new OptionError("metadata", "keys that end with '-bin' must have Buffer values");
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  if (typeof value !== "string")
    throw new OptionError("metadata", "keys that don't end with '-bin' must have String values");
  if (!legalText.test(value))
    throw new OptionError("metadata", `Metadata string value "${value}" contains illegal characters`);
  return value;
}

function copy(value: MetadataValue): MetadataValue {
  return typeof value === "string" ? value : Buffer.from(value);
}
