// Usage: host.ts EXECUTABLE: activates that Mattermost server plugin, and posts a message through it.
import { gob } from "goplug";
import { activate } from "./environment.ts";
import { Post } from "./gen/definitions.ts";
import { memoryServer } from "./memory-server.ts";

const server = memoryServer();
const plugin = await activate(process.argv.slice(2) as [string, ...string[]], server);
try {
  console.log("hooks:   ", [...plugin.implemented].sort().join(" "));
  const draft = { ...gob.zero(Post), UserId: "user1", Message: "hello" };
  const { post } = await plugin.messageWillBePosted({}, draft);
  console.log("message: ", post.Message, Object.fromEntries(post.Props));
  const response = await plugin.serveHTTP(
    {},
    new Request("http://localhost/echo", { method: "POST", body: "ping" }),
  );
  console.log("http:    ", response.status, await response.text());
  const answer = await plugin.executeCommand({}, { Command: "/goplug user user1" });
  console.log("command: ", answer?.Text);
  await plugin.deactivate();
  console.log("calls:   ", server.calls.join("; "));
} finally {
  await plugin.client.kill();
}
