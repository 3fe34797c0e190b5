/**
 * The features of the matrix that another line of Node could break, each in a few of its forms: calls, TLS, the broker, raw
 * streams, output, and the ends of plugins; over both protocols, with either side in Go.
 */
const features = [
  "greet",
  "dispense-100$",
  "dispense the same",
  "kv[ -](empty|1MiB|of 0|inflight64|put and get (empty|1 MiB))",
  "AutoMTLS (unix|with)",
  "automtls",
  "counter[ -](with|callback|plugin-serves|both)",
  "a helper",
  "callbacks",
  "the plugin calls back",
  "stdio-(order|both|tls|mux-tls|text)",
  "stdout and stderr",
  "raw stream",
  "streams of",
  "versioned-both",
  "unknown method",
  "ping",
  "kill-graceful",
  "kill of a plugin",
  "killed",
  "plugin killed",
  "graceful kill",
  "sigterm",
  "reattach",
];

/** The names of the cases that `make test-node-quick` runs. */
export const quick = new RegExp(`^(go->ts|ts->go) (netrpc|grpc) (${features.join("|")})`);
