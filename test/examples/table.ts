/** An example, and what is to be seen of it. */
export interface Example {
  stdout: RegExp;
  stderr: string;
  /** The Go plugin of the same service. */
  go: string;
  /** What host-check checks of the plugin here. */
  checks: string[];
  /** Default: "ts". */
  extension?: "mjs";
}

/** The file of an example's side. */
export function program(name: string, side: "host" | "plugin"): string {
  return `examples/${name}/${side}.${examples[name]?.extension ?? "ts"}`;
}

const kvOutput = (missing: string): RegExp =>
  new RegExp(
    `^Get\\(greeting\\): Hello from Node\nGet\\(nothing\\): {2}${missing}: key not found: nothing\n$`,
  );

/** Each has a host and a plugin. */
export const examples: Record<string, Example> = {
  greeter: {
    go: "greeter-netrpc",
    stdout: /^handshake: +unix \S+\nprotocol: +netrpc\nnegotiated version: 1\nGreet\(\): +Hello!\n$/,
    stderr: "",
    checks: ["greeter", "dispense-100", "kill-graceful"],
  },
  kv: {
    go: "kv-netrpc",
    stdout: kvOutput("RemoteError"),
    stderr: "",
    checks: ["kv-empty", "kv-64B", "kv-1MiB", "kv-missing-key", "kv-overwrite", "ping"],
  },
  counter: {
    go: "counter-netrpc",
    stdout: /^the plugin asks for 0 \+ 40\nthe plugin asks for 40 \+ 2\nGet\(answer\): 42n\n$/,
    stderr: "",
    checks: ["counter-callback", "counter-helper-error"],
  },
  javascript: {
    go: "counter-netrpc",
    stdout: /^the plugin asks for 0 \+ 40\nthe plugin asks for 40 \+ 2\nGet\(answer\): 42n\n$/,
    stderr: "",
    checks: ["counter-callback", "counter-helper-error"],
    extension: "mjs",
  },
  stdio: {
    go: "stdio-netrpc",
    stdout: /^the plugin's stdout\n$/,
    stderr: "the plugin's stderr\n",
    checks: ["stdio-text"],
  },
  goatkit: {
    go: "goatkit-plugin",
    stdout:
      /^registered: stats 1\.2\.0\nmenu: +Statistics > Week\n\[stats\] [\s\S]* affected: 1,[\s\S]*\n\}\n\[stats\] shutting down\n$/,
    stderr: "",
    checks: [],
  },
  "kv-grpc": {
    go: "kv-grpc",
    stdout: kvOutput("5 NOT_FOUND"),
    stderr: "",
    checks: [
      "grpc-kv-64B",
      "grpc-kv-1MiB",
      "grpc-kv-missing-key",
      "grpc-kv-tls",
      "grpc-kv-mux",
      "grpc-ping",
      "grpc-kill",
    ],
  },
  negotiated: {
    go: "versioned",
    stdout: /^version 3 over grpc: Hello \(3\)\nversion 2 over netrpc: Hello \(2\)\n$/,
    stderr: "",
    checks: ["grpc-versioned-2", "grpc-versioned-3", "grpc-versioned-both", "grpc-versioned-legacy"],
  },
};
