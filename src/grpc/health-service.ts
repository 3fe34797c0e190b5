import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Serving,
} from "./gen/grpc/health/v1/health.js";
import { GrpcStatus } from "./status.js";

/** The name that go-plugin's hosts ask for (grpc_server.go, GRPCServiceName). */
export const healthName = "plugin";

type Watch = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** The standard health service: `plugin`, and the whole server (the empty name), serve until {@link stop}. */
export class HealthService {
  readonly check: (
    call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
    answer: sendUnaryData<HealthCheckResponse>,
  ) => void;
  readonly watch: (call: Watch) => void;
  /** From now on nothing serves. */
  readonly stop: () => void;
  /** Ends the streams of those who watch, and at once of those who come later: they would hold up the end. */
  readonly close: () => void;

  constructor() {
    const watching = new Set<Watch>();
    const known = (name: string): boolean => name === "" || name === healthName;
    let isClosed = false;
    let current: HealthCheckResponse["status"] = Serving.SERVING;
    this.check = ({ request }, answer) => {
      if (known(request.service)) answer(null, { status: current });
      else answer({ code: GrpcStatus.NOT_FOUND, details: "unknown service" });
    };
    this.watch = (call) => {
      call.write({ status: known(call.request.service) ? current : Serving.SERVICE_UNKNOWN });
      if (isClosed) {
        call.end();
        return;
      }
      watching.add(call);
      const gone = (): void => void watching.delete(call);
      call.on("cancelled", gone);
      call.on("close", gone);
    };
    this.stop = () => {
      if (current === Serving.NOT_SERVING) return;
      current = Serving.NOT_SERVING;
      for (const call of watching) if (known(call.request.service)) call.write({ status: current });
    };
    this.close = () => {
      isClosed = true;
      for (const call of watching) call.end();
    };
  }
}
