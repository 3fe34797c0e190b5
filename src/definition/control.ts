// Every side that speaks net/rpc has go-plugin's own error registered.
import "./basic-error.js";
import { bool, emptyStruct, string, uint32 } from "../gob/index.js";
import type { MethodTable } from "../netrpc/index.js";

/** The service names of go-plugin's net/rpc mode (rpc_server.go). */
export const CONTROL_SERVICE = "Control";
export const DISPENSER_SERVICE = "Dispenser";
/** The name that every dispensed or brokered service is registered under. */
export const PLUGIN_SERVICE = "Plugin";

/** Control: is the plugin there, and end it. The arguments carry nothing. */
export const controlMethods = {
  Ping: [bool, emptyStruct],
  Quit: [bool, emptyStruct],
} as const satisfies MethodTable;

/** Dispenser: plugin name to broker id. */
export const dispenserMethods = { Dispense: [string, uint32] } as const satisfies MethodTable;
