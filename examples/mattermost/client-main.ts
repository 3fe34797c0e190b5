// A Mattermost server plugin in TypeScript.
import type { Readable } from "node:stream";
import { type ByteSource, implemented, type MuxBroker, remoteReader, sendBytes, serve } from "goplug";
import { appErrorValue, errorOf } from "./errors.ts";
import {
  apiRPCServer,
  type CommandArgs,
  type CommandResponseInput,
  type Context,
  dbRPCServer,
  type FileInfo,
  type FileInfoInput,
  handshake,
  hooksPlugin,
  hooksRPCServer,
  type hooksRPCServerReceiver,
  type Post,
  type PostInput,
  registry,
  type User,
} from "./gen/definitions.ts";
import { receiveRequest, writeResponse } from "./http.ts";
import { Driver, PluginAPI } from "./plugin-api.ts";

type Awaitable<T> = T | Promise<T>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The hooks that have a face here; `wire` takes any of the others as they are on the wire. */
export interface Hooks {
  onActivate?(): Awaitable<void>;
  onDeactivate?(): Awaitable<void>;
  onConfigurationChange?(): Awaitable<void>;
  /** Fields that are not given keep what the server has. */
  messageWillBePosted?(context: Context, post: Post): Awaitable<{ post: PostInput } | { rejection: string }>;
  userHasLoggedIn?(context: Context, user: User): Awaitable<void>;
  /** What it throws should be an AppError; other errors become one. */
  executeCommand?(context: Context, args: CommandArgs): Awaitable<CommandResponseInput>;
  serveHTTP?(context: Context, request: Request): Awaitable<Response>;
  /** Nothing allows the file as it is. */
  fileWillBeUploaded?(
    context: Context,
    info: FileInfo,
    file: Readable,
  ): Awaitable<{ info?: FileInfoInput; replacement?: ByteSource } | { rejection: string } | undefined>;
  wire?: Partial<hooksRPCServerReceiver>;
}

/** What a plugin extends. `api` and `driver` are there from OnConfigurationChange on. */
export abstract class MattermostPlugin {
  api!: PluginAPI;
  driver!: Driver;
}

/** Serves a plugin (Go: ClientMain). */
export function clientMain(plugin: MattermostPlugin & Hooks): Promise<void> {
  const implementation = hooksPlugin.implement((broker) => receiverOf(plugin, broker));
  return serve({ handshakeConfig: handshake, plugins: { hooks: implementation } });
}

function receiverOf(plugin: MattermostPlugin & Hooks, broker: MuxBroker): Partial<hooksRPCServerReceiver> {
  const own: Writable<Partial<hooksRPCServerReceiver>> = { ...plugin.wire };
  if (plugin.onDeactivate) own.OnDeactivate = () => errorOf(() => plugin.onDeactivate!());
  if (plugin.onConfigurationChange) {
    own.OnConfigurationChange = () => errorOf(() => plugin.onConfigurationChange!());
  }
  if (plugin.messageWillBePosted) {
    own.MessageWillBePosted = async ({ A: context, B: post }) => {
      const answer = await plugin.messageWillBePosted!(context!, post!);
      return "post" in answer ? { A: answer.post } : { B: answer.rejection };
    };
  }
  if (plugin.userHasLoggedIn) {
    own.UserHasLoggedIn = async ({ A: context, B: user }) => {
      await plugin.userHasLoggedIn!(context!, user!);
      return {};
    };
  }
  if (plugin.executeCommand) {
    own.ExecuteCommand = async ({ A: context, B: args }) => {
      try {
        return { A: await plugin.executeCommand!(context!, args!) };
      } catch (error) {
        return { B: appErrorValue(error, "ExecuteCommand") };
      }
    };
  }
  if (plugin.serveHTTP) {
    own.ServeHTTP = async ({ Context: context, Request, RequestBodyStream, ResponseWriterStream }) => {
      const request = await receiveRequest(Request!, RequestBodyStream, broker);
      await writeResponse(await plugin.serveHTTP!(context!, request), ResponseWriterStream, broker);
      await request.body?.cancel().catch(() => {});
      return {};
    };
  }
  if (plugin.fileWillBeUploaded) {
    own.FileWillBeUploaded = async ({ A: context, B: info, UploadedFileStream, ReplacementFileStream }) => {
      const file = remoteReader(await broker.dial(UploadedFileStream));
      const output = await broker.dial(ReplacementFileStream);
      output.resume();
      try {
        const answer = await plugin.fileWillBeUploaded!(context!, info!, file);
        await sendBytes(output, (answer && "replacement" in answer && answer.replacement) || []);
        if (answer && "rejection" in answer) return { B: answer.rejection };
        return { A: answer?.info ?? null };
      } catch (error) {
        output.destroy();
        throw error;
      } finally {
        file.destroy();
      }
    };
  }
  const names = [...(plugin.onActivate ? ["OnActivate"] : []), ...implemented(hooksRPCServer, own)];
  return {
    ...own,
    Implemented: () => names,
    async OnActivate({ APIMuxId, DriverMuxId }) {
      plugin.api = new PluginAPI(await broker.connect(APIMuxId, apiRPCServer, { registry }), broker);
      plugin.driver = new Driver(await broker.connect(DriverMuxId, dbRPCServer, { registry }));
      try {
        await plugin.onConfigurationChange?.();
      } catch (error) {
        process.stderr.write(
          `[ERROR] call to OnConfigurationChange failed, error: ${(error as Error).message}\n`,
        );
      }
      return errorOf(() => plugin.onActivate?.());
    },
  };
}
