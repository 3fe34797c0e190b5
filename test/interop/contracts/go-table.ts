import type { Contract, Ref, Service } from "../../../src/cli/gen/contract.js";

/** The Go file that tells the proof program which methods a contract has. */
export function goTable(contract: Contract): string {
  const imports = new Map<string, string>();
  const qualified = (path: string): string => {
    const known = imports.get(path) ?? `p${imports.size}`;
    imports.set(path, known);
    return known;
  };
  const type = (ref: Ref): string => {
    if (typeof ref === "string") return ref;
    if ("named" in ref) {
      const of = contract.types[ref.named]!;
      const args = of.args === undefined ? "" : `[${of.args.map(type).join(", ")}]`;
      return `${qualified(of.package)}.${of.name.replace(/\[.*$/s, "")}${args}`;
    }
    if ("interface" in ref) return ref.interface === "error" ? "error" : named(ref.interface);
    if ("pointer" in ref) return `*${type(ref.pointer)}`;
    if ("slice" in ref) return `[]${type(ref.slice)}`;
    if ("array" in ref) return `[${ref.length}]${type(ref.array)}`;
    if ("map" in ref) return `map[${type(ref.key)}]${type(ref.map)}`;
    if ("struct" in ref) return `struct{ ${ref.struct.map((f) => `${f.name} ${type(f.type)}`).join("; ")} }`;
    throw new Error(ref.unsendable);
  };
  const named = (name: string): string =>
    `${qualified(name.slice(0, name.lastIndexOf(".")))}.${name.slice(name.lastIndexOf(".") + 1)}`;
  const rows: string[] = [];
  const receivers: string[] = [];
  for (const [i, { methods, ...of }] of contract.services.entries()) {
    const service = serviceKey(of);
    receivers.push(`type service${i} struct{}`);
    for (const { name, arg, reply } of methods) {
      const [a, r] = [type(arg), type(reply)];
      rows.push(`\t\t{${JSON.stringify(service)}, ${JSON.stringify(name)}, typeOf[${a}](), typeOf[${r}]()},`);
      receivers.push(
        `func (service${i}) ${name}(arg ${a}, reply *${r}) error { return serve(${JSON.stringify(service)}, ${JSON.stringify(name)}, &arg, reply) }`,
      );
    }
  }
  // The Go program's own receivers; those that are not exported are shown by a file that is added to their package.
  const own = contract.services.map((of) => {
    const [path, key] = [qualified(of.package), JSON.stringify(serviceKey(of))];
    return isExported(of.name)
      ? `\treflected[${key}] = (*${path}.${of.name})(nil)`
      : `\treflected[${key}] = ${path}.GoplugReceivers[${JSON.stringify(of.name)}]`;
  });
  const lines = [
    "package main",
    "",
    "import (",
    ...[...imports].map(([path, alias]) => `\t${alias} ${JSON.stringify(path)}`),
    ")",
    "",
    "func init() {",
    "\tmethods = []method{",
    ...rows,
    "\t}",
    ...contract.services.map((of, i) => `\treceivers[${JSON.stringify(serviceKey(of))}] = service${i}{}`),
    ...contract.registrations.map(({ name }) => `\tregistrations[${JSON.stringify(name)}] = true`),
    ...own,
    "}",
    "",
    ...receivers,
    "",
  ];
  return lines.join("\n");
}

/** A receiver's package and name, as `counter.server`. */
export function serviceKey({ type }: Pick<Service, "type">): string {
  return type.slice(type.lastIndexOf("/") + 1);
}

function isExported(name: string): boolean {
  return /^\p{Lu}/u.test(name);
}

/** The Go file that is added to a package, to show its receivers that are not exported; undefined if there are none. */
export function goReceivers(contract: Contract, path: string, packageName: string): string | undefined {
  const receivers = contract.services
    .filter((service) => service.package === path && !isExported(service.name))
    .map(({ name }) => `\t${JSON.stringify(name)}: (*${name})(nil),\n`);
  if (receivers.length === 0) return undefined;
  return `package ${packageName}\n\nvar GoplugReceivers = map[string]any{\n${receivers.join("")}}\n`;
}
