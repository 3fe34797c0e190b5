import { ENV } from "../protocol/constants.js";
import type { TestReattachConfig } from "./serve-config.js";

/**
 * How hosts attach to a plugin that a person has started: for hosts in TypeScript with `debug: true` a variable, for hosts
 * in Go the JSON form of plugin.ReattachConfig that Terraform made known (TF_REATTACH_PROVIDERS).
 */
export function reattachNotice(config: TestReattachConfig): string {
  const { protocol, protocolVersion, address, pid } = config;
  const go = {
    Protocol: protocol,
    ProtocolVersion: protocolVersion,
    Pid: pid,
    Test: true,
    Addr: { Network: address.network, String: address.address },
  };
  return (
    "The plugin waits for its host, and for as long as it takes. A host in TypeScript with debug: true attaches to it with\n" +
    `\n  export ${ENV.reattach}='${JSON.stringify(config)}'\n\n` +
    "and a host in Go with this plugin.ReattachConfig:\n" +
    `\n  ${JSON.stringify(go)}\n\nCtrl-C ends it.\n`
  );
}
