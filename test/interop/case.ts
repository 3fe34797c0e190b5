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

/** The Python peer's interpreter, in a virtual environment of its own. */
const python = "python/.venv/bin/python";

export function binary(name: string): string {
  const fixtures = new URL("../../go-fixtures/", import.meta.url);
  // The programs for Windows lie beside this system's own: Wine runs them on the same tree.
  const program = process.platform === "win32" ? `bin/windows/${name}.exe` : `bin/${name}`;
  return fileURLToPath(new URL(name === "python" ? python : program, fixtures));
}

export function missingBinaries(names: readonly string[] = []): string[] {
  return names.filter((name) => !existsSync(binary(name)));
}
