import type { ConnectionOptions } from "node:tls";
import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import { builtin } from "../builtin.js";
import { CERTIFICATE_NAME } from "../tls/certificate.js";
import type { GrpcJs } from "./load-grpc-js.js";

/** How a channel is secured: grpc-js's credentials, and the channel options that belong to them. */
export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

/**
 * The channel's part of a TLS configuration for `tls.connect`. grpc-js makes the connection itself, so what counts
 * is: what makes a secure context (ca, cert, key, ciphers, versions), `checkServerIdentity`, `rejectUnauthorized`
 * and `servername`.
 */
export function channelSecurity(
  { ChannelCredentials }: GrpcJs,
  tls: ConnectionOptions | undefined,
): ChannelSecurity {
  if (tls === undefined) return { credentials: ChannelCredentials.createInsecure(), options: {} };
  const { checkServerIdentity, rejectUnauthorized, servername = CERTIFICATE_NAME } = tls;
  const context = tls.secureContext ?? builtin.tls.createSecureContext(tls);
  const credentials = ChannelCredentials.createFromSecureContext(context, {
    ...(checkServerIdentity !== undefined && { checkServerIdentity }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  });
  return { credentials, options: { "grpc.ssl_target_name_override": servername } };
}
