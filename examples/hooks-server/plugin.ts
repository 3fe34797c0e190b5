// A plugin whose server an application starts; its commands are what the tests ask it.
import { setTimeout as sleep } from "node:timers/promises";
import { type Hooks, PluginServer } from "./server.ts";

const hooks: Hooks = {
  async onActivate(_, { api, logger }) {
    await api.kvSet("activated", Buffer.from(process.env.MATTERMOST_PLUGIN_ID ?? "nobody"));
    logger.info("activated");
  },
  onDeactivate: (_, { logger }) => logger.info("deactivated"),
  messageWillBePosted({ post }) {
    if (post === undefined || post.message.includes("forbidden"))
      return { rejectionReason: "rejected: forbidden" };
    return { post: { ...post, message: post.message.toUpperCase() } };
  },
  async executeCommand({ command }, { signal, api, logger }) {
    const [name, argument = ""] = command.split(" ");
    switch (name) {
      case "get":
        return { text: Buffer.from(await api.kvGet(argument)).toString() };
      case "connected":
        return { text: String(api.connected) };
      case "port":
        return { text: String(server.port) };
      case "big":
        return { text: "x".repeat(Number(argument)) };
      case "print":
        console.log(argument);
        return { text: "printed" };
      case "sleep":
        signal.addEventListener("abort", () => logger.warn("told to stop"));
        await sleep(Number(argument));
        return { text: `slept ${argument}` };
      case "again":
        try {
          return { text: String(await server.start()) };
        } catch (error) {
          return { text: (error as { code?: string }).code ?? "no code" };
        }
      default:
        throw new Error(`unknown command: ${name}`);
    }
  },
};

const transport = process.argv.includes("--grpc-js") ? "grpc-js" : "goplug";
const server = new PluginServer(hooks, { transport });
await server.start();
await server.waitForTermination();
