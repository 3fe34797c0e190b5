// GKRegistration: how a plugin describes itself. Written with the keys of its JSON form; over gob, which older hosts
// and plugins speak, the same travels under Go's field names.
import type { GKRegistration, GKRegistrationInput } from "./gen/definitions.ts";

export interface MenuItem {
  id: string;
  label: string;
  path: string;
  location: string;
  icon?: string;
  parent?: string;
  order?: number;
  children?: MenuItem[];
}

export interface Registration {
  name: string;
  version: string;
  description?: string;
  author?: string;
  license?: string;
  homepage?: string;
  routes?: { method: string; path: string; handler: string; middleware?: string[]; description?: string }[];
  menu_items?: MenuItem[];
  widgets?: {
    id: string;
    title: string;
    description?: string;
    handler: string;
    location: string;
    size?: string;
    order?: number;
    refreshable?: boolean;
    refresh_sec?: number;
  }[];
  jobs?: {
    id: string;
    handler: string;
    schedule: string;
    description?: string;
    enabled: boolean;
    timeout?: string;
  }[];
  templates?: { name: string; path: string; override?: boolean }[];
  i18n?: {
    namespace?: string;
    languages?: string[];
    /** Language to key to text. */
    translations?: Record<string, Record<string, string>>;
  };
  error_codes?: { code: string; message: string; http_status: number }[];
  hide_menu_items?: string[];
  landing_page?: string;
  groups?: { name: string; description?: string }[];
  custom_fields?: {
    name: string;
    label?: string;
    entity_type: string;
    field_type: string;
    section?: string;
    order?: number;
    required?: boolean;
    description?: string;
    placeholder?: string;
    /** Any JSON value. */
    config?: unknown;
  }[];
  min_host_version?: string;
  permissions?: string[];
  resources?: {
    memory_mb?: number;
    /** Go durations: "30s", "5m". */
    call_timeout?: string;
    init_timeout?: string;
    shutdown_timeout?: string;
    permissions?: { type: string; access?: string; scope?: string[] }[];
  };
}

const initialisms = new Set(["id", "http", "mb"]);

/** `menu_items` to `MenuItems`, `http_status` to `HTTPStatus`. */
function goName(key: string): string {
  const words = key.split("_");
  return words
    .map((word) => (initialisms.has(word) ? word.toUpperCase() : word[0]!.toUpperCase() + word.slice(1)))
    .join("");
}

/** `MenuItems` to `menu_items`, `HTTPStatus` to `http_status`. */
function jsonKey(name: string): string {
  return name.replace(/([a-z])([A-Z])|([A-Z])([A-Z][a-z])/g, "$1$3_$2$4").toLowerCase();
}

export function toStruct(registration: Registration): GKRegistrationInput {
  const convert = (value: unknown, key: string): unknown => {
    if (key === "translations") return value;
    if (key === "config") return value === undefined ? null : Buffer.from(JSON.stringify(value));
    if (Array.isArray(value)) return value.map((element) => convert(element, ""));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [goName(key), convert(inner, key)]),
    );
  };
  return convert(registration, "") as GKRegistrationInput;
}

export function fromStruct(struct: GKRegistration): Registration {
  const convert = (value: unknown): unknown => {
    if (value === null) return undefined;
    if (value instanceof Uint8Array) {
      return value.length === 0 ? undefined : JSON.parse(Buffer.from(value).toString());
    }
    if (value instanceof Map)
      return Object.fromEntries([...value].map(([key, inner]) => [key, convert(inner)]));
    if (Array.isArray(value)) return value.map(convert);
    if (typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [jsonKey(name), convert(inner)]));
  };
  return convert(struct) as Registration;
}
