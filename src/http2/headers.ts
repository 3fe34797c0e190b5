import type { HeaderList } from "./hpack-decoder.js";

// What makes a request or a response malformed (RFC 9113, section 8): its stream is reset, not the connection.

/** Fields that belong to a connection of HTTP/1 (section 8.2.2). */
const connectionFields: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/** Why a request's fields are malformed; undefined if they are not. */
export function requestFault(headers: HeaderList): string | undefined {
  let method = 0;
  let scheme = 0;
  let path = 0;
  let authority = 0;
  let regular = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (name.charCodeAt(0) !== 0x3a) {
      regular = true;
      const fault = fieldFault(name, headers[i + 1]!);
      if (fault !== undefined) return fault;
      continue;
    }
    if (regular) return `${name} behind other fields`;
    if (name === ":method") method++;
    else if (name === ":scheme") scheme++;
    else if (name === ":authority") authority++;
    else if (name === ":path") {
      path++;
      if (headers[i + 1] === "") return "an empty :path";
    } else return `${name} in a request`;
  }
  if (method !== 1 || scheme !== 1 || path !== 1 || authority > 1) {
    return "a request without :method, :scheme and :path, each once";
  }
  return undefined;
}

/** Why a response's fields are malformed; undefined if they are not. */
export function responseFault(headers: HeaderList): string | undefined {
  if (headers[0] !== ":status" || !/^[1-5][0-9][0-9]$/.test(headers[1]!)) {
    return "a response without :status at its start";
  }
  return trailersFault(headers, 2);
}

/** Why trailers are malformed; undefined if they are not. */
export function trailersFault(headers: HeaderList, from = 0): string | undefined {
  for (let i = from; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (name.charCodeAt(0) === 0x3a) return `${name} where no pseudo-header may be`;
    const fault = fieldFault(name, headers[i + 1]!);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function fieldFault(name: string, value: string): string | undefined {
  if (connectionFields.has(name)) return `the field ${name}`;
  if (name === "te" && value !== "trailers") return `te: ${value}`;
  return undefined;
}

/** The value of content-length, if there is one that is a number. */
export function contentLength(headers: HeaderList): number | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === "content-length" && /^[0-9]{1,15}$/.test(headers[i + 1]!))
      return Number(headers[i + 1]);
  }
  return undefined;
}
