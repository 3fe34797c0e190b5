import { writeSync } from "node:fs";
import { badOption } from "../errors.js";
import { calling, isObject } from "../options.js";

/** Plugin programs by the name that picks them: each is called when it is picked, and usually calls serve. */
export type ServeMuxMap = Readonly<Record<string, () => Promise<void> | void>>;

const invokedImproperly =
  "Invoked improperly. This is an internal command that shouldn't\nbe manually invoked.\n";

/**
 * One program that holds several plugins: the host names the one to serve as the only argument (go-plugin: ServeMux).
 * Without exactly one argument, or with a name that is not in the map, the process says so on stderr and exits with
 * code 1, in go-plugin's words.
 *
 * @param args the program's arguments, without the interpreter and the script. Default: those of this process
 * @example
 * await serveMux({ builder: () => serve(builder), provisioner: () => serve(provisioner) });
 */
export async function serveMux(
  plugins: ServeMuxMap,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  if (!isObject(plugins)) throw badOption("plugins", "an object of functions by their names", plugins);
  const [name] = args;
  if (name === undefined || args.length !== 1) return refuse(invokedImproperly);
  // An argument such as "constructor" names nothing in the map, though the object knows it.
  const plugin = Object.hasOwn(plugins, name) ? plugins[name] : undefined;
  if (plugin === undefined) return refuse(`Unknown plugin: ${name}\n`);
  calling(`plugins.${name}`, plugin as never);
  await plugin();
}

function refuse(message: string): never {
  try {
    // Not through process.stderr, which may be captured, and is asynchronous where it is a pipe on Windows.
    writeSync(2, message);
  } catch {
    // Nobody reads: the exit code has to do.
  }
  process.exit(1);
}
