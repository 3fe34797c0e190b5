// Draws docs/images/overview-{light,dark}.svg: a host, a plugin, and what goes between them.
import { writeFileSync } from "node:fs";

interface Colours {
  readonly ink: string;
  readonly faint: string;
  readonly box: string;
  readonly edge: string;
  readonly netrpc: string;
  readonly grpc: string;
}

const themes: Readonly<Record<string, Colours>> = {
  light: {
    ink: "#1f2328",
    faint: "#59636e",
    box: "#f6f8fa",
    edge: "#d1d9e0",
    netrpc: "#0969da",
    grpc: "#1a7f37",
  },
  dark: {
    ink: "#f0f6fc",
    faint: "#9198a1",
    box: "#151b23",
    edge: "#3d444d",
    netrpc: "#4493f8",
    grpc: "#3fb950",
  },
};

for (const [theme, colours] of Object.entries(themes)) {
  writeFileSync(new URL(`../docs/images/overview-${theme}.svg`, import.meta.url), draw(colours));
}

function draw({ ink, faint, box, edge, netrpc, grpc }: Colours): string {
  const text = (x: number, y: number, content: string, style = ""): string =>
    `<text x="${x}" y="${y}" fill="${ink}" ${style}>${content}</text>`;
  const small = `font-size="13" fill="${faint}"`;
  const program = (x: number, title: string, lines: readonly string[]): string => `
  <rect x="${x}" y="20" width="220" height="320" rx="10" fill="${box}" stroke="${edge}"/>
  ${text(x + 110, 50, title, 'font-size="18" font-weight="600" text-anchor="middle"')}
  ${lines.map((line, index) => `<text x="${x + 110}" y="${74 + index * 19}" ${small} text-anchor="middle">${line}</text>`).join("\n  ")}`;
  const arrow = (
    y: number,
    colour: string,
    label: string,
    detail: string,
    ends: "right" | "left" | "both",
  ): string => `
  <line x1="250" y1="${y}" x2="650" y2="${y}" stroke="${colour}" stroke-width="2"${ends === "left" ? "" : ' marker-end="url(#tip)"'}${ends === "right" ? "" : ' marker-start="url(#tip)"'}/>
  ${text(450, y - 9, label, `font-size="14" text-anchor="middle"`)}
  <text x="450" y="${y + 19}" ${small} text-anchor="middle">${detail}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 360" role="img" aria-label="A host starts a plugin, reads its handshake line, and calls it over net/rpc or gRPC; the plugin calls back through the broker" font-family="-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">
  <defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="${faint}"/></marker></defs>
  ${program(20, "Host", ["your program, in Node", "or an unmodified Go host"])}
  ${program(660, "Plugin", ["a process of its own: Go, Node,", "or any other language"])}
  <text x="130" y="200" font-size="15" fill="${ink}" text-anchor="middle" font-family="ui-monospace, monospace">new Client(…)</text>
  <text x="130" y="224" font-size="15" fill="${ink}" text-anchor="middle" font-family="ui-monospace, monospace">dispense("kv")</text>
  <text x="770" y="200" font-size="15" fill="${ink}" text-anchor="middle" font-family="ui-monospace, monospace">serve(…)</text>
  <text x="770" y="224" font-size="15" fill="${ink}" text-anchor="middle" font-family="ui-monospace, monospace">plugin.Serve(…)</text>
  ${arrow(52, faint, "starts it, with the magic cookie", "and ends it", "right")}
  ${arrow(116, faint, "one handshake line", "1|1|unix|/tmp/plugin|netrpc", "left")}
  ${arrow(180, netrpc, "net/rpc: calls in gob, on yamux streams", "or", "right")}
  ${arrow(230, grpc, "gRPC: calls in protobuf, on HTTP/2", "over one unix socket or TCP, with mutual TLS if you like", "right")}
  ${arrow(300, faint, "the broker: callbacks and raw streams", "logs and output", "both")}
</svg>
`;
}
