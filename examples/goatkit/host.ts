// Usage: host.ts COMMAND [ARGUMENTS...]: loads that GoatKit plugin and has it call everything that this host offers.
import { loadGRPCPlugin } from "./load.ts";
import { memoryHost } from "./memory-host.ts";

const cmd = process.argv.slice(2) as [string, ...string[]];
const plugin = await loadGRPCPlugin(cmd, memoryHost(), { syncStdout: process.stdout });
try {
  const { name, version, menu_items } = plugin.registration;
  console.log("registered:", name, version);
  console.log("menu:      ", menu_items?.[0]?.label, ">", menu_items?.[0]?.children?.[0]?.label);
  await plugin.init();
  console.log("tour:      ", await plugin.call("tour"));
  await plugin.shutdown();
} finally {
  await plugin[Symbol.asyncDispose]();
}
