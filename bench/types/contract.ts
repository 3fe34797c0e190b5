/** TypeScript of a contract as large as Mattermost's: structs of nine fields each, and a method for every second one. */
export function contract(structs: number): string {
  const kinds = [
    "gob.string",
    "gob.int64",
    "gob.bool",
    "gob.map(gob.string, gob.any)",
    "gob.slice(gob.string)",
    "gob.time",
    "gob.bytes",
  ];
  const lines = [
    `import { type Caller, gob, netRpcPlugin } from "goplug";`,
    ...Array.from({ length: structs }, (_, i) => {
      const fields = kinds.map((kind, k) => `  F${k}: ${kind},`);
      // Each refers to the one before, and leads back to itself.
      fields.push(
        i === 0 ? "  F7: gob.float64," : `  F7: gob.pointer(s${i - 1}),`,
        `  get F8() {\n    return gob.slice(gob.pointer(s${i}));\n  },`,
      );
      return `export const s${i} = gob.struct(\n{\n${fields.join("\n")}\n},\n{ name: "example.com/model.S${i}" },\n);`;
    }),
    `export const table = {`,
    ...Array.from({ length: structs / 2 }, (_, i) => `  M${i}: [s${2 * i}, s${2 * i + 1}],`),
    `} as const;`,
    `export const plugin = netRpcPlugin(table);`,
    `export async function use(remote: Caller<typeof table>): Promise<void> {`,
    ...Array.from(
      { length: structs / 2 },
      (_, i) =>
        `  const r${i} = await remote.M${i}({ F0: "x", F3: { a: 1 }, F8: [{ F0: "y" }] });\n  await remote.M${i}({ ...(r${i}.F7 ?? {}), F0: r${i}.F8[0]?.F8[0]?.F0 ?? "" });`,
    ),
    `}`,
  ];
  return lines.join("\n");
}
