import { builtin } from "../builtin.js";

type Methods = Record<string, unknown>;

/**
 * Has `console` write to process.stdout and process.stderr where the runtime's own writes past them, under Bun and Deno: what
 * takes over the streams would miss it, and before the handshake it would stand in the way of the line.
 * @returns what gives the methods back
 */
export function consoleToStreams(versions: NodeJS.ProcessVersions = process.versions): () => void {
  if (versions.bun === undefined && versions.deno === undefined) return () => {};
  const own = console as unknown as Methods;
  const through = new builtin.console.Console(process.stdout, process.stderr) as unknown as Methods;
  const taken = Object.keys(through).filter((name) => typeof own[name] === "function");
  const before = Object.fromEntries(taken.map((name) => [name, own[name]]));
  for (const name of taken) own[name] = through[name];
  return () => {
    // Someone who has taken a method meanwhile keeps it.
    for (const name of taken) if (own[name] === through[name]) own[name] = before[name];
  };
}
