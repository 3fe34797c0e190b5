import { once } from "node:events";
import { createReadStream } from "node:fs";
import { parseArgs } from "node:util";
import { GobError } from "../../gob/index.js";
import { CommandError } from "../fail.js";
import { GobReader } from "./reader.js";

export const summary = "show a gob stream: its types as Go declarations, then its values";

export const help = `goplug gob [FILE] [--rpc] [--json]

Shows a gob stream, from a file or as it comes from the standard input: type definitions as Go declarations, values as Go literals.

  --rpc     the stream is one direction of a net/rpc connection
  --json    a line of JSON for each definition and each value
`;

/** Runs `goplug gob`. Throws {@link CommandError}. */
export async function run(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { rpc: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
  });
  if (positionals.length > 1) throw new CommandError("one file at a time");
  const [file] = positionals;
  const input = file === undefined || file === "-" ? process.stdin : createReadStream(file);
  const reader = new GobReader(values);
  const print = printer();
  try {
    for await (const chunk of input) if (!(await print(reader.read(chunk as Buffer)))) return;
    await print(reader.end());
  } catch (error) {
    if (error instanceof GobError) throw new CommandError(`${file ?? "standard input"}: ${error.message}`);
    if ((error as NodeJS.ErrnoException).syscall !== undefined)
      throw new CommandError(`cannot read ${file ?? "standard input"}: ${(error as Error).message}`);
    throw error;
  }
}

/** Writes lines as fast as they are taken. Gives false once nobody takes them any more. */
function printer(): (lines: Iterable<string>) => Promise<boolean> {
  const { stdout } = process;
  let open = true;
  // As `head` does, a reader may go when it has seen enough.
  stdout.on("error", () => {
    open = false;
  });
  return async (lines) => {
    for (const line of lines) {
      if (!open) return false;
      if (!stdout.write(`${line}\n`))
        await Promise.race([once(stdout, "drain"), once(stdout, "close")]).catch(() => {});
    }
    return open;
  };
}
