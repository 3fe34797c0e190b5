import { CommandError } from "../fail.js";
import type { Contract, Ref, Service } from "./contract.js";

export interface SelectOptions {
  /** Receivers to take, by name or by import path and name; none: all. */
  readonly receivers: readonly string[];
  /** Leave out methods that gob cannot send, instead of failing. */
  readonly skipUnsendable: boolean;
}

/** The part of a contract that was asked for, with the types that it reaches. Throws {@link CommandError}. */
export function select(contract: Contract, { receivers, skipUnsendable }: SelectOptions): Contract {
  let services = pick(contract, receivers);
  const refused = services.flatMap(({ name, methods }) =>
    methods.filter((m) => m.unsendable !== undefined).map((m) => `${name}.${m.name}: ${m.unsendable}`),
  );
  if (refused.length > 0 && !skipUnsendable)
    throw new CommandError(`${refused[0]} (--skip-unsendable leaves such methods out)`);
  services = services.map((service) => ({
    ...service,
    methods: service.methods.filter(({ unsendable }) => unsendable === undefined),
  }));
  const reached = reachable(contract, [
    ...services.flatMap(({ methods }) => methods.flatMap(({ arg, reply }) => [arg, reply])),
    ...contract.registrations.map(({ type }) => type),
    ...contract.constants
      .filter((constant) => contract.packages.includes(constant.package))
      .flatMap(({ type }) => type ?? []),
  ]);
  return {
    ...contract,
    services,
    warnings: [...(contract.warnings ?? []), ...refused.map((text) => `Left out: ${text}`)],
    types: Object.fromEntries(Object.entries(contract.types).filter(([name]) => reached.has(name))),
    constants: contract.constants.filter(
      ({ type }) => typeof type !== "object" || !("named" in type) || reached.has(type.named),
    ),
  };
}

/** The same contract without what its source says about it. */
export function withoutDocs(contract: Contract): Contract {
  const strip = <T>(value: T): T =>
    JSON.parse(JSON.stringify(value, (key, inner) => (key === "doc" ? undefined : inner)));
  return {
    ...contract,
    services: strip(contract.services),
    types: strip(contract.types),
    constants: strip(contract.constants),
    plugins: strip(contract.plugins),
    handshakes: strip(contract.handshakes),
    // Not into the sets themselves: a plugin may be named "doc".
    pluginSets: contract.pluginSets.map(({ doc: _, ...set }) => set),
  };
}

function pick({ services }: Contract, receivers: readonly string[]): Service[] {
  if (receivers.length === 0) return services;
  return receivers.flatMap((wanted) => {
    const found = services.filter(({ name, type }) => name === wanted || type === wanted);
    if (found.length > 0) return found;
    const known = services.map(({ name }) => name);
    throw new CommandError(`no receiver ${wanted}; there are ${known.join(", ") || "none"}`);
  });
}

/** The named types that references lead to. What marshals itself is not looked into. */
function reachable({ types }: Contract, from: readonly Ref[]): Set<string> {
  const reached = new Set<string>();
  const todo = [...from];
  for (let ref = todo.pop(); ref !== undefined; ref = todo.pop()) {
    if (typeof ref === "string") continue;
    if ("named" in ref) {
      if (reached.has(ref.named)) continue;
      reached.add(ref.named);
      const { type } = types[ref.named]!;
      if (type !== undefined) todo.push(type);
    } else if ("pointer" in ref) todo.push(ref.pointer);
    else if ("slice" in ref) todo.push(ref.slice);
    else if ("array" in ref) todo.push(ref.array);
    else if ("map" in ref) todo.push(ref.key, ref.map);
    else if ("struct" in ref) todo.push(...ref.struct.map(({ type }) => type));
  }
  return reached;
}
