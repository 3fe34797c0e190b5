import type { Hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { builtin } from "../builtin.js";
import { AbortedError, badOption, GoplugError, type GoplugErrorOptions } from "../errors.js";
import { isObject } from "../options.js";

/** What an executable must hash to, before it is started (go-plugin: SecureConfig). */
export interface SecureConfig {
  /** The expected digest: its bytes, or hexadecimal digits in either case. From a source that can be trusted. */
  readonly checksum: Uint8Array | string;
  /** The name of any hash of node:crypto (`getHashes()`), such as `sha256`. */
  readonly hash: string;
}

/** The codes of {@link ChecksumError}. */
export type ChecksumErrorCode =
  /** The file is not the expected one (ErrChecksumsDoNotMatch). */
  | "ERR_CHECKSUM_MISMATCH"
  /** The configuration has an empty checksum (ErrSecureConfigNoChecksum). */
  | "ERR_CHECKSUM_NONE"
  /** The configuration's checksum is no hexadecimal text. */
  | "ERR_CHECKSUM_INVALID"
  /** The configuration names no hash (ErrSecureConfigNoHash), or one that node:crypto does not have. */
  | "ERR_CHECKSUM_HASH"
  /** The file cannot be read, or is none: a directory, a device, a pipe. */
  | "ERR_CHECKSUM_FILE";

const GO_TEXTS = {
  ERR_CHECKSUM_MISMATCH: "checksums did not match",
  ERR_CHECKSUM_NONE: "no checksum provided",
  ERR_CHECKSUM_HASH: "no hash implementation provided",
} as const;

/** An executable could not be verified, and so was not started. */
export class ChecksumError extends GoplugError {
  override readonly name = "ChecksumError";
  declare readonly code: ChecksumErrorCode;

  constructor(code: ChecksumErrorCode, message: string, options?: GoplugErrorOptions) {
    super(code, message, options);
  }
}

/** The error for a file whose digest is not the expected one, with go-plugin's text. */
export function checksumMismatch(): ChecksumError {
  return new ChecksumError("ERR_CHECKSUM_MISMATCH", GO_TEXTS.ERR_CHECKSUM_MISMATCH);
}

/**
 * Whether a file's digest is the expected one (go-plugin: SecureConfig.Check). The file is read in pieces, and the
 * digests are compared in constant time. Between this check and a start, the file can still be replaced: see
 * pinExecutable.
 *
 * @param path of the file itself: it is not looked up in PATH
 * @throws ChecksumError (not ERR_CHECKSUM_MISMATCH), AbortedError
 */
export async function checkFile(path: string, config: SecureConfig, signal?: AbortSignal): Promise<boolean> {
  const check = startCheck(config);
  const { handle } = await openRegular(path);
  try {
    for await (const chunk of readChunks(handle, path, signal)) check.update(chunk);
  } finally {
    await handle.close();
  }
  return check.matches();
}

/** A digest in the making, which knows what it should become. */
export interface RunningCheck {
  update(chunk: Uint8Array): void;
  /** Ends the digest; to be called once. */
  matches(): boolean;
}

/** @throws OptionError, ChecksumError ERR_CHECKSUM_NONE, ERR_CHECKSUM_INVALID, ERR_CHECKSUM_HASH */
export function startCheck(config: SecureConfig): RunningCheck {
  if (!isObject(config as unknown)) throw badOption("secureConfig", "an object of checksum and hash", config);
  const { checksum, hash: algorithm } = config;
  const expected = typeof checksum === "string" ? fromHex(checksum) : (checksum ?? "");
  // In go-plugin's order: a configuration with neither is told of its checksum first.
  if (expected.length === 0) throw new ChecksumError("ERR_CHECKSUM_NONE", GO_TEXTS.ERR_CHECKSUM_NONE);
  if (!algorithm) throw new ChecksumError("ERR_CHECKSUM_HASH", GO_TEXTS.ERR_CHECKSUM_HASH);
  let hash: Hash;
  try {
    hash = builtin.crypto.createHash(algorithm);
  } catch (cause) {
    const message = `${GO_TEXTS.ERR_CHECKSUM_HASH}: node:crypto has no ${JSON.stringify(algorithm)}`;
    throw new ChecksumError("ERR_CHECKSUM_HASH", message, { cause });
  }
  return {
    update: (chunk) => void hash.update(chunk),
    matches() {
      const actual = hash.digest();
      return actual.length === expected.length && builtin.crypto.timingSafeEqual(actual, expected);
    },
  };
}

function fromHex(text: string): Buffer {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) {
    throw new ChecksumError("ERR_CHECKSUM_INVALID", "the checksum is not hexadecimal text of whole bytes");
  }
  return Buffer.from(text, "hex");
}

const CHUNK_SIZE = 65_536;

/** Opens a file for reading, and tells its permission bits. @throws ChecksumError ERR_CHECKSUM_FILE */
export async function openRegular(path: string): Promise<{ handle: FileHandle; mode: number }> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK (Windows has none) the opening of a pipe would wait for its writer.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw new ChecksumError("ERR_CHECKSUM_FILE", `${path} is not a regular file`);
    return { handle, mode: info.mode & 0o7777 };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The file's bytes from the start, in pieces that are overwritten by the next. @throws ChecksumError, AbortedError */
export async function* readChunks(
  handle: FileHandle,
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_SIZE);
  for (;;) {
    if (signal?.aborted) throw new AbortedError("the verification of the plugin's checksum", signal.reason);
    let bytesRead: number;
    try {
      ({ bytesRead } = await handle.read(buffer, 0, CHUNK_SIZE, null));
    } catch (cause) {
      throw unreadable(path, cause);
    }
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

function unreadable(path: string, cause: unknown): ChecksumError {
  return new ChecksumError("ERR_CHECKSUM_FILE", `cannot read ${path}: ${(cause as Error).message}`, {
    cause,
  });
}
