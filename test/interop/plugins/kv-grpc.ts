import { serveFixture } from "./serve-fixture.js";
import { plugins } from "./services/kv-grpc.js";

await serveFixture(plugins, {
  grpcServer: {
    // ts-proto's code has no descriptors; here they are taken out of protobuf-es's.
    async descriptors() {
      const { create, toBinary } = await import("@bufbuild/protobuf");
      const { FileDescriptorSetSchema } = await import("@bufbuild/protobuf/wkt");
      const files = await Promise.all([
        import("../gen/es/kv_pb.js").then(({ file_kv }) => file_kv),
        import("../gen/es/tools_pb.js").then(({ file_tools }) => file_tools),
        import("../gen/es/stream_pb.js").then(({ file_stream }) => file_stream),
      ]);
      const set = create(FileDescriptorSetSchema, { file: files.map(({ proto }) => proto) });
      return toBinary(FileDescriptorSetSchema, set);
    },
  },
});
