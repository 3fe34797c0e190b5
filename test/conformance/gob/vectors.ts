import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Form } from "./forms.js";

export interface ValidVector {
  name: string;
  go_types: string[];
  decode_types?: string[];
  go_decls?: string[];
  stream_hex: string;
  messages: number;
  value_spans_messages: boolean;
  deterministic: boolean;
  values: (Form | null)[];
  sent?: Form[];
  wire_types: Record<string, unknown>[];
  wire_values?: Form[];
  go_bug?: string;
}

export interface HostileVector {
  name: string;
  target: string;
  go_decls?: string[];
  stream_hex: string;
  go_result: "value" | "error" | "eof" | "panic" | "crash";
  accept: ("value" | "error" | "eof" | "panic")[];
  go_steps: { value?: Form; skipped?: boolean; error?: string }[];
}

/** The lines of a vector file, gzipped beside this file. */
export function load<T>(name: "valid" | "hostile"): T[] {
  const text = gunzipSync(readFileSync(new URL(`vectors/${name}.jsonl.gz`, import.meta.url))).toString(
    "utf8",
  );
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
