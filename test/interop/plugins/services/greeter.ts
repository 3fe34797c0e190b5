// The service of go-fixtures/shared/greeter.
import { netRpcPlugin } from "../../../../src/definition/net-rpc-plugin.js";
import * as gob from "../../../../src/gob/index.js";

const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] });

export const plugins = { greeter: greeter.implement({ Greet: () => "Hello!" }) };
