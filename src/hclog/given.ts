const NOT_SHOWN = "a value that cannot be shown";

/** The text of anything; its own ways to become one may throw. */
export function textOf(value: unknown): string {
  try {
    if (value instanceof Error) return String(value.message);
    return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
  } catch {
    return NOT_SHOWN;
  }
}

/**
 * What a caller gave as a message. JavaScript gives what it has, an `error.message` of what is no error for example, and a Go host
 * panics when a line's message is not a text (go-plugin's log_entry.go, parseJSON).
 */
export function messageOf(message: unknown): string {
  return typeof message === "string" ? message : textOf(message);
}

/** What a caller gave as fields: an error becomes `error`, and what has no names is called as hclog calls it. */
export function fieldsOf(fields: unknown): Readonly<Record<string, unknown>> {
  if (fields === undefined || fields === null) return {};
  if (fields instanceof Error) return { error: fields };
  return typeof fields === "object" ? (fields as Record<string, unknown>) : { EXTRA_VALUE_AT_END: fields };
}
