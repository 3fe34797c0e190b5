// A server of hooks (examples/hooks-server): run by a Go host, and by an application that knows nothing of go-plugin.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  type Client,
  type ClientReadableStream,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { load } from "@grpc/proto-loader";
import { configFromEnvironment } from "../../examples/hooks-server/config.js";
import { byGrpcJs } from "./both-transports.js";
import type { Case } from "./case.js";
import { until } from "./support.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const typescript = ["--import", "tsx"];
const plugin = [...typescript, "examples/hooks-server/plugin.ts"];
const cookie = { MATTERMOST_PLUGIN: "Securely message teams, anywhere." };

/** The cases of hooks-host. */
const checks = ["hooks", "tls", "health", "timeout", "big", "output", "again", "kill"];

/** An application with a plain grpc-js client: it starts the server and reads where it is. */
class Application {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  address = "";

  constructor(args: readonly string[]) {
    const env = { ...process.env, ...cookie };
    this.child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout!.on("data", (chunk) => {
      this.stdout += chunk;
    });
    this.child.stderr!.on("data", (chunk) => {
      this.stderr += chunk;
    });
  }

  async connect(): Promise<void> {
    const [line] = await once(createInterface(this.child.stdout!), "line");
    const [, address] =
      /^1\|1\|tcp\|(127\.0\.0\.1:\d+)\|grpc\|/.exec(line) ?? assert.fail(`no handshake: ${line}`);
    this.address = address!;
  }

  async client(file: string, path: string): Promise<Client> {
    let found: GrpcObject = loadPackageDefinition(
      await load(file, { enums: String, includeDirs: [`${root}/vendor-protocols`, root] }),
    );
    for (const name of path.split(".")) found = found[name] as GrpcObject;
    // Of itself grpc-js asks the proxy of the environment for this machine, too.
    const options = { "grpc.max_receive_message_length": -1, "grpc.enable_http_proxy": 0 };
    return new (found as unknown as ServiceClientConstructor)(
      this.address,
      credentials.createInsecure(),
      options,
    );
  }
}

const call = <A>(client: Client, method: string, request: object): Promise<A> => {
  // biome-ignore lint/suspicious/noExplicitAny: made of the .proto file when it runs
  const bound = (client as any)[method].bind(client);
  return promisify(bound)(request) as Promise<A>;
};

function withApplication(args: readonly string[], use: (app: Application, hooks: Client) => Promise<void>) {
  return async (): Promise<void> => {
    const app = new Application(args);
    const exited = once(app.child, "exit");
    try {
      await app.connect();
      const hooks = await app.client("examples/hooks-server/hooks.proto", "goplug.hooks.v1.PluginHooks");
      await use(app, hooks);
      hooks.close();
    } catch (cause) {
      throw new Error(`${(cause as Error).message}; the server's log:\n${app.stderr}`, { cause });
    } finally {
      app.child.kill("SIGKILL");
      await exited;
    }
  };
}

const execute = (hooks: Client, text: string): Promise<{ text: string }> =>
  call(hooks, "executeCommand", { command: text });

/** A server whose options are its own, and which is told to stop by a command. */
const ownServer = (transport: "goplug" | "grpc-js"): string => `
  import { PluginServer } from "./examples/hooks-server/server.ts";
  const hooks = {
    executeCommand({ command }) {
      if (command === "hang") return new Promise(() => {});
      if (command === "stop") setImmediate(() => Promise.all([server.stop(), server.stop()]));
      return { text: command === "port" ? String(server.port) : "" };
    },
  };
  const server = new PluginServer(hooks, { maxMessageBytes: 1000, grace: 200, transport: ${JSON.stringify(transport)} });
  console.error(server.port);
  await server.start();
  await server.waitForTermination();
  await server.stop();
  process.stderr.write("terminated\\n");
`;

/** The plugin, and the server of its own, over one of the transports. */
const over = (transport: "goplug" | "grpc-js"): Case[] => {
  const [flags, suffix] = transport === "goplug" ? [[], ""] : [["--grpc-js"], byGrpcJs];
  const command = [...plugin, ...flags];
  return [
    ...checks.map(
      (check): Case => ({
        name: `go->ts hooks ${check}${suffix}`,
        needs: ["hooks-host"],
        async run({ bin, signal }) {
          const args = ["-case", check, "--", process.execPath, ...command];
          await promisify(execFile)(bin("hooks-host"), args, { cwd: root, signal });
        },
      }),
    ),
    {
      name: `grpc-js->ts hooks the handshake alone on stdout, logs on stderr${suffix}`,
      run: withApplication(command, async (app, hooks) => {
        assert.deepEqual(await call(hooks, "implemented", {}), {
          hooks: ["OnActivate", "OnDeactivate", "MessageWillBePosted", "ExecuteCommand"],
        });
        const post = { id: "1", userId: "ann", message: "hello" };
        const answer = await call<{ post: object }>(hooks, "messageWillBePosted", { post });
        assert.deepEqual(answer.post, { ...post, message: "HELLO" });
        assert.equal((await execute(hooks, "big 30000000")).text.length, 30_000_000);
        await execute(hooks, "print words");
        const health = await app.client("grpc/health/v1/health.proto", "grpc.health.v1.Health");
        for (const service of ["plugin", ""]) {
          assert.deepEqual(await call(health, "check", { service }), { status: "SERVING" });
        }
        health.close();
        assert.match(app.stdout, /^1\|1\|tcp\|127\.0\.0\.1:\d+\|grpc\|\n$/);
        assert.match(app.stderr, /"plugin server started"/);
      }),
    },
    {
      name: `grpc-js->ts hooks SIGTERM: NOT_SERVING first, then a drain${suffix}`,
      run: withApplication(command, async (app, hooks) => {
        const health = await app.client("grpc/health/v1/health.proto", "grpc.health.v1.Health");
        const seen: string[] = [];
        // biome-ignore lint/suspicious/noExplicitAny: made of the .proto file when it runs
        const watch = (health as any).watch({ service: "plugin" }) as ClientReadableStream<{
          status: string;
        }>;
        watch.on("data", ({ status }) => seen.push(status));
        watch.on("error", () => {});
        await until("SERVING", () => seen.length > 0);
        const running = execute(hooks, "sleep 1500").then(({ text }) => seen.push(text));
        await execute(hooks, "port");
        app.child.kill("SIGTERM");
        const [code] = await once(app.child, "exit");
        await running;
        assert.equal(code, 0);
        assert.deepEqual(seen, ["SERVING", "NOT_SERVING", "slept 1500"]);
        await assert.rejects(execute(hooks, "port"), { code: 14 });
        health.close();
      }),
    },
    {
      name: `grpc-js->ts hooks SIGINT${suffix}`,
      run: withApplication(command, async (app) => {
        app.child.kill("SIGINT");
        assert.deepEqual(await once(app.child, "exit"), [0, null]);
      }),
    },
    {
      name: `grpc-js->ts hooks a server's own options, stopped more than once, with a hook that outlasts the grace period${suffix}`,
      run: withApplication(
        [...typescript, "--input-type=module", "-e", ownServer(transport)],
        async (app, hooks) => {
          await assert.rejects(execute(hooks, "x".repeat(2000)), { code: 8 });
          assert.equal(`127.0.0.1:${(await execute(hooks, "port")).text}`, app.address);
          const hanging = assert.rejects(execute(hooks, "hang"));
          await execute(hooks, "stop");
          await hanging;
          assert.deepEqual(await once(app.child, "exit"), [0, null]);
          assert.match(app.stderr, /^undefined\n[\s\S]*terminated\n/);
        },
      ),
    },
  ];
};

export const cases: Case[] = [
  ...over("goplug"),
  ...over("grpc-js"),
  {
    name: "grpc-js->ts hooks started without the cookie",
    async run() {
      const env = { ...process.env, MATTERMOST_PLUGIN: "something else" };
      const run = promisify(execFile)(process.execPath, plugin, { cwd: root, env });
      await assert.rejects(run, (error: { code: number; stdout: string; stderr: string }) => {
        assert.deepEqual([error.code, error.stdout], [1, ""]);
        assert.match(error.stderr, /This binary is a plugin/);
        return true;
      });
    },
  },
  {
    name: "grpc-js->ts hooks configuration from the environment",
    async run() {
      const defaults = { pluginId: "", apiTarget: "127.0.0.1:50051", hookTimeout: 30_000, logLevel: "info" };
      assert.deepEqual(configFromEnvironment({}), defaults);
      assert.deepEqual(
        configFromEnvironment({
          MATTERMOST_PLUGIN_HOOK_TIMEOUT: "soon",
          MATTERMOST_PLUGIN_LOG_LEVEL: "LOUD",
        }),
        defaults,
      );
      assert.deepEqual(
        configFromEnvironment({
          MATTERMOST_PLUGIN_ID: "my-plugin",
          MATTERMOST_PLUGIN_API_TARGET: "localhost:9999",
          MATTERMOST_PLUGIN_HOOK_TIMEOUT: "60",
          MATTERMOST_PLUGIN_LOG_LEVEL: "WARNING",
        }),
        { pluginId: "my-plugin", apiTarget: "localhost:9999", hookTimeout: 60_000, logLevel: "warn" },
      );
    },
  },
];
