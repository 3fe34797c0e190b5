import { HealthDefinition } from "./gen/grpc/health/v1/health.js";
import { GRPCBrokerDefinition } from "./gen/plugin/grpc_broker.js";
import { GRPCControllerDefinition } from "./gen/plugin/grpc_controller.js";
import { GRPCStdioDefinition } from "./gen/plugin/grpc_stdio.js";
import { methodsOf } from "./method.js";

// What go-plugin serves beside the plugins' own services.

export const healthMethods = methodsOf(HealthDefinition);
export const brokerMethods = methodsOf(GRPCBrokerDefinition);
export const controllerMethods = methodsOf(GRPCControllerDefinition);
export const stdioMethods = methodsOf(GRPCStdioDefinition);

/** go-plugin's own services, and its sign of life: what every connection has, and no user calls. */
const ownService = /^\/(?:plugin\.GRPC|grpc\.health\.v1\.)/;

/** Whether a method's path is that of one of them. */
export function isOwnService(path: string): boolean {
  return ownService.test(path);
}
