import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What a case gets from the runner. */
export interface CaseContext {
  /** Fires when the case's time is over; the case cleans up and rejects. */
  signal: AbortSignal;
  /** The path of a fixture binary. */
  bin(name: string): string;
}

/** One line of the interop matrix. */
export interface Case {
  /** `<host>-><plugin> <protocol> <feature>`, host and plugin among ts, go, go-legacy, python. */
  name: string;
  /** Fixture binaries without which the case is skipped (under CI=true: fails). */
  needs?: string[];
  /** Default: 60,000. */
  timeoutMs?: number;
  /** Resolves when the case passed. */
  run(context: CaseContext): Promise<void>;
}

const binFolder = new URL("../../go-fixtures/bin/", import.meta.url);

/** The Python peer's interpreter, in a virtual environment of its own. */
const python = new URL("../../go-fixtures/python/.venv/bin/python", import.meta.url);

export function binary(name: string): string {
  return fileURLToPath(name === "python" ? python : new URL(name, binFolder));
}

export function missingBinaries(names: readonly string[] = []): string[] {
  return names.filter((name) => !existsSync(binary(name)));
}
