// Prints; console.log and everything else that writes to process.stdout reaches the host likewise.
import { serve } from "goplug";
import { handshakeConfig, stdio } from "./shared.ts";

const implementation = stdio.implement({
  Print(text) {
    process.stdout.write(text);
    return text.length;
  },
  PrintErr(text) {
    process.stderr.write(text);
    return text.length;
  },
});

await serve({ handshakeConfig, plugins: { stdio: implementation } });
