// The greeter without top-level await, for bundles in CommonJS.
import { serve } from "goplug";
import { greeter, handshakeConfig } from "../greeter/shared.ts";

void serve({ handshakeConfig, plugins: { greeter: greeter.implement({ Greet: () => "Hello!" }) } });
