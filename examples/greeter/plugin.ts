// The plugin side: what a Go host, or host.ts, starts.
import { serve } from "goplug";
import { greeter, handshakeConfig } from "./shared.ts";

await serve({ handshakeConfig, plugins: { greeter: greeter.implement({ Greet: () => "Hello!" }) } });
