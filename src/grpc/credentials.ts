import { type ConnectionOptions, createSecureContext } from "node:tls";
import { ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { certificateName } from "../tls/certificate.js";

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
export function channelSecurity(tls: ConnectionOptions | undefined): ChannelSecurity {
  if (tls === undefined) return { credentials: ChannelCredentials.createInsecure(), options: {} };
  const { checkServerIdentity, rejectUnauthorized, servername = certificateName } = tls;
  const context = tls.secureContext ?? createSecureContext(tls);
  const credentials = ChannelCredentials.createFromSecureContext(context, {
    ...(checkServerIdentity !== undefined && { checkServerIdentity }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  });
  return { credentials, options: { "grpc.ssl_target_name_override": servername } };
}
