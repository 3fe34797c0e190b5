// Errors as Mattermost's two sides exchange them: *model.AppError, and *plugin.ErrorString for all others.
import { gob } from "goplug";
import * as wire from "./gen/definitions.ts";

/** An error of Mattermost's API or of a hook (Go: model.AppError). */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly id: string;
  /** Where it happened: `Struct.Func`. */
  readonly where: string;
  readonly detailedError: string;
  readonly requestId: string;
  /** The HTTP status. */
  readonly statusCode: number;

  constructor({
    Id = "",
    Message,
    DetailedError = "",
    RequestId = "",
    StatusCode = 0,
    Where = "",
  }: wire.AppErrorInput) {
    super(Message || Id);
    this.id = Id;
    this.where = Where;
    this.detailedError = DetailedError;
    this.requestId = RequestId;
    this.statusCode = StatusCode;
  }

  /** What it is on the wire. */
  toWire(): wire.AppErrorInput {
    return {
      Id: this.id,
      Message: this.message,
      DetailedError: this.detailedError,
      RequestId: this.requestId,
      StatusCode: this.statusCode,
      Where: this.where,
    };
  }
}

/** An error of Go that is no AppError (Go: plugin.ErrorString). `code` 1 is io.EOF, 2 sql.ErrNoRows, and so on. */
export class ErrorString extends Error {
  override readonly name = "ErrorString";
  readonly code: number;

  constructor(message: string, code = 0) {
    super(message);
    this.code = code;
  }

  static readonly EOF = 1;
}

/** Throws the error that a reply brought in a field of type `*model.AppError` or `error`, if there is one. */
export function throwError(error: unknown): void {
  if (error === null || error === undefined) return;
  if (typeof error === "object" && "Err" in error) {
    const { Err, Code } = error as wire.ErrorString;
    throw new ErrorString(Err, Code);
  }
  if (typeof error === "object" && "StatusCode" in error) throw new AppError(error as wire.AppError);
  throw new ErrorString(JSON.stringify(error));
}

/** The value of a field of type `error`. */
export function errorValue(error: unknown): gob.TypedValue {
  if (error instanceof AppError) return gob.value(gob.pointer(wire.AppError), error.toWire());
  const code = error instanceof ErrorString ? error.code : 0;
  const text = error instanceof Error ? error.message : String(error);
  return gob.value(gob.pointer(wire.ErrorString), { Code: code, Err: text });
}

/** The value of a field of type `*model.AppError`. */
export function appErrorValue(error: unknown, where: string): wire.AppErrorInput {
  if (error instanceof AppError) return error.toWire();
  const text = error instanceof Error ? error.message : String(error);
  return { Id: "plugin.error", Message: text, Where: where, StatusCode: 500 };
}

/** Runs what a Go method with one result of type `error` does. */
export async function errorOf(work: () => unknown): Promise<{ A: gob.TypedValue | null }> {
  try {
    await work();
    return { A: null };
  } catch (error) {
    return { A: errorValue(error) };
  }
}

/** The same with a result of type `*model.AppError`. */
export async function appErrorOf(
  where: string,
  work: () => unknown,
): Promise<{ A: wire.AppErrorInput | null }> {
  try {
    await work();
    return { A: null };
  } catch (error) {
    return { A: appErrorValue(error, where) };
  }
}
