#!/usr/bin/env node
// A plugin that does what go-fixtures/mattermost/mattermost-plugin does.
import { gob } from "goplug";
import { clientMain, type Hooks, MattermostPlugin } from "./client-main.ts";
import { AppError } from "./errors.ts";
import type { CommandArgs, CommandResponseInput, Context, FileInfo, Post, User } from "./gen/definitions.ts";

class Goplug extends MattermostPlugin implements Hooks {
  #config: { greeting?: string; fail?: string } = {};

  async onConfigurationChange() {
    this.#config = await this.api.loadPluginConfiguration();
  }

  async onActivate() {
    const { fail, greeting } = this.#config;
    if (fail === "app-error") {
      throw new AppError({
        Where: "OnActivate",
        Id: "goplug.activate",
        DetailedError: "told to",
        StatusCode: 418,
      });
    }
    if (fail) throw new Error(`failed: ${fail}`);
    await this.api.registerCommand({ Trigger: "goplug", AutoComplete: true, DisplayName: "Goplug" });
    await this.api.kvSet("activated", Buffer.from("yes"));
    await this.api.logInfo("activated", "greeting", greeting, "times", 1);
    console.log("printed by the plugin");
  }

  async onDeactivate() {
    await this.api.logInfo("deactivated");
  }

  messageWillBePosted(_: Context, post: Post) {
    if (post.Message.includes("forbidden")) return { rejection: "rejected: forbidden" };
    if (post.Message === "partial") return { post: { Message: "PARTIAL" } };
    post.Message = post.Message.toUpperCase();
    post.Props.set("checked_by", "goplug");
    return { post };
  }

  async userHasLoggedIn(_: Context, { Id }: User) {
    try {
      const user = await this.api.getUser(Id);
      const Message = `${this.#config.greeting}, ${user.Username}`;
      const post = await this.api.createPost({ UserId: user.Id, ChannelId: "town-square", Message });
      const payload = { post_id: post.Id, times: gob.value(gob.int, 1) };
      await this.api.publishWebSocketEvent("welcomed", payload, { UserId: user.Id });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      await this.api.logInfo("no such user", "id", Id, "status", error.statusCode);
    }
  }

  async executeCommand(_: Context, { Command }: CommandArgs): Promise<CommandResponseInput> {
    const [, verb, key = "", value = ""] = Command.split(" ");
    const answer = (Text: string): CommandResponseInput => ({ ResponseType: "ephemeral", Text });
    switch (verb) {
      case "get":
        return answer((await this.api.kvGet(key)).toString());
      case "set":
        await this.api.kvSet(key, Buffer.from(value));
        return answer("stored");
      case "user":
        return answer((await this.api.getUser(key)).Username);
      default:
        throw new AppError({
          Where: "ExecuteCommand",
          Id: "goplug.command.unknown",
          DetailedError: Command,
          StatusCode: 400,
        });
    }
  }

  async serveHTTP(_: Context, request: Request): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/echo": {
        const body = await request.arrayBuffer();
        return new Response(body, { status: 201, headers: { "X-Length": String(body.byteLength) } });
      }
      case "/inter-plugin": {
        const body = "ping ".repeat(200_000);
        const other = new Request("http://plugins/other/echo?q=1", { method: "POST", body });
        const answer = await this.api.pluginHTTP(other);
        if (answer === undefined) return new Response("no answer\n", { status: 502 });
        const { status, headers } = answer;
        return new Response(answer.body, { status, headers: { "X-Other": headers.get("X-Other") ?? "" } });
      }
      case "/broken":
        throw new Error("this page is broken");
      case "/db": {
        const conn = await this.driver.conn(true);
        const rows = await this.driver.query(
          conn,
          "SELECT Name, Age FROM Plugins WHERE Author = $1",
          "goplug",
        );
        await this.driver.connClose(conn);
        const lines = rows.map((row) => Object.values(row).join(","));
        return new Response(["Name,Age", ...lines, ""].join("\n"));
      }
      default:
        return new Response("404 page not found\n", { status: 404 });
    }
  }

  async fileWillBeUploaded(_: Context, info: FileInfo, file: AsyncIterable<Buffer>) {
    if (info.Name.endsWith(".exe")) return { rejection: `rejected: ${info.Name}` };
    if (!info.Name.endsWith(".txt")) return undefined;
    return { info: { ...info, Name: `upper-${info.Name}` }, replacement: upperCase(file) };
  }
}

async function* upperCase(file: AsyncIterable<Buffer>): AsyncGenerator<string> {
  for await (const chunk of file) yield chunk.toString("latin1").toUpperCase();
}

await clientMain(new Goplug());
