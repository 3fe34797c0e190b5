// GKRegistration: how a plugin describes itself. Written with the keys of its JSON form; over gob, which older hosts
// and plugins speak, the same travels under Go's field names.
import { gob } from "goplug";

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

const { bool, bytes, int, map, pointer, slice, string, struct } = gob;
const strings = slice(string);

const menuItem = struct({
  ID: string,
  Label: string,
  Icon: string,
  Path: string,
  Location: string,
  Parent: string,
  Order: int,
  get Children() {
    return slice(menuItem);
  },
});

/** The struct as gob sends it. */
export const gkRegistration = struct({
  Name: string,
  Version: string,
  Description: string,
  Author: string,
  License: string,
  Homepage: string,
  Routes: slice(
    struct({ Method: string, Path: string, Handler: string, Middleware: strings, Description: string }),
  ),
  MenuItems: slice(menuItem),
  Widgets: slice(
    struct({
      ID: string,
      Title: string,
      Description: string,
      Handler: string,
      Location: string,
      Size: string,
      Order: int,
      Refreshable: bool,
      RefreshSec: int,
    }),
  ),
  Jobs: slice(
    struct({
      ID: string,
      Handler: string,
      Schedule: string,
      Description: string,
      Enabled: bool,
      Timeout: string,
    }),
  ),
  Templates: slice(struct({ Name: string, Path: string, Override: bool })),
  I18n: pointer(
    struct({ Namespace: string, Languages: strings, Translations: map(string, map(string, string)) }),
  ),
  ErrorCodes: slice(struct({ Code: string, Message: string, HTTPStatus: int })),
  HideMenuItems: strings,
  LandingPage: string,
  Groups: slice(struct({ Name: string, Description: string })),
  CustomFields: slice(
    struct({
      Name: string,
      Label: string,
      EntityType: string,
      FieldType: string,
      Section: string,
      Order: int,
      Required: bool,
      Description: string,
      Placeholder: string,
      Config: bytes,
    }),
  ),
  MinHostVersion: string,
  Permissions: strings,
  Resources: pointer(
    struct({
      MemoryMB: int,
      CallTimeout: string,
      InitTimeout: string,
      ShutdownTimeout: string,
      Permissions: slice(struct({ Type: string, Access: string, Scope: strings })),
    }),
  ),
});

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

export function toStruct(registration: Registration): gob.Input<typeof gkRegistration> {
  const convert = (value: unknown, key: string): unknown => {
    if (key === "translations") return value;
    if (key === "config") return value === undefined ? null : Buffer.from(JSON.stringify(value));
    if (Array.isArray(value)) return value.map((element) => convert(element, ""));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [goName(key), convert(inner, key)]),
    );
  };
  return convert(registration, "") as gob.Input<typeof gkRegistration>;
}

export function fromStruct(struct: gob.Output<typeof gkRegistration>): Registration {
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
