import { GoplugError } from "../errors.js";

/** The codes of {@link SpawnError}. */
export type SpawnErrorCode =
  /** There is no such file (or, for a script, no such interpreter). */
  | "ERR_PLUGIN_NOT_FOUND"
  /** The file is there, but the system will not run it: a directory, missing permission, another architecture. */
  | "ERR_PLUGIN_NOT_EXECUTABLE"
  /** Any other reason of the system's. */
  | "ERR_PLUGIN_SPAWN";

/** The plugin's process could not be started; `cause` is the system's error. */
export class SpawnError extends GoplugError {
  override readonly name = "SpawnError";
  declare readonly code: SpawnErrorCode;
  /** The executable, as it was given. */
  readonly path: string;

  constructor(code: SpawnErrorCode, path: string, message: string, cause: unknown) {
    super(code, message, { cause });
    this.path = path;
  }
}
