// Draws docs/images/benchmarks-{light,dark}.svg from bench/results.json: some rows of `make bench`, each as its ratio to Go.
import { readFileSync, writeFileSync } from "node:fs";

interface Row {
  readonly name: string;
  readonly ratio: number;
}

/** The rows that a reader should see, in order, and what they are called. */
const shown: readonly (readonly [name: string, label: string])[] = [
  ["netrpc.sequential", "net/rpc host, one call after another"],
  ["netrpc.inflight64", "net/rpc host, 64 calls in flight"],
  ["netrpc.get1MiB", "net/rpc host, 1 MiB answers"],
  ["plugin.sequential", "net/rpc plugin, one call after another"],
  ["plugin.inflight64", "net/rpc plugin, 64 calls in flight"],
  ["grpc.sequential", "gRPC host, one call after another"],
  ["grpc.inflight64", "gRPC host, 64 calls in flight"],
  ["grpc.plugin.inflight64", "gRPC plugin, 64 calls in flight"],
  ["yamux.up", "yamux, upload"],
  ["yamux.down", "yamux, download"],
  ["gob.encode.persons", "gob, encoding a slice of structs"],
  ["gob.decode.persons", "gob, decoding it"],
];

const themes = {
  light: { ink: "#1f2328", faint: "#59636e", bar: "#0969da", line: "#d1242f" },
  dark: { ink: "#f0f6fc", faint: "#9198a1", bar: "#1f6feb", line: "#ff7b72" },
};

const rows = JSON.parse(
  readFileSync(new URL("../bench/results.json", import.meta.url), "utf8"),
) as readonly Row[];
const ratios = new Map(rows.map((row) => [row.name, row.ratio]));
const bars = shown.flatMap(([name, label]) => {
  const ratio = ratios.get(name);
  return ratio === undefined ? [] : [{ label, ratio }];
});

const left = 290;
const width = 900;
const rowHeight = 28;
const height = 60 + bars.length * rowHeight;
const scale = (width - left - 70) / Math.max(2, ...bars.map(({ ratio }) => ratio));

for (const [theme, { ink, faint, bar, line }] of Object.entries(themes)) {
  const drawn = bars.map(({ label, ratio }, index) => {
    const y = 40 + index * rowHeight;
    const end = left + ratio * scale;
    return `  <text x="${left - 12}" y="${y + 15}" fill="${ink}" text-anchor="end">${label}</text>
  <rect x="${left}" y="${y}" width="${(ratio * scale).toFixed(1)}" height="20" rx="3" fill="${bar}"/>
  <text x="${(end - 8).toFixed(1)}" y="${y + 15}" fill="#ffffff" text-anchor="end">${ratio.toFixed(2)}</text>`;
  });
  const one = left + scale;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="goplug's speed beside Go's, as a ratio: above 1 goplug is faster" font-family="-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13">
${drawn.join("\n")}
  <line x1="${one.toFixed(1)}" y1="30" x2="${one.toFixed(1)}" y2="${height - 16}" stroke="${line}" stroke-width="1.5" stroke-dasharray="4 3"/>
  <text x="${one.toFixed(1)}" y="20" fill="${faint}" text-anchor="middle">as fast as Go</text>
</svg>
`;
  writeFileSync(new URL(`../docs/images/benchmarks-${theme}.svg`, import.meta.url), svg);
}
