import type { ConnectionOptions } from "node:tls";
import { builtin } from "../builtin.js";
import { TlsError } from "../tls/errors.js";
import { isPinned } from "../tls/pinned-certificate.js";
import type { PluginTls } from "../tls/plugin-options.js";

// go-plugin uses one tls.Config for the side that dials and the side that listens, since the broker's connections go
// both ways; Node's options for the two differ.

/**
 * How a host serves brokered connections, given how it connects to its plugin. With AutoMTLS nobody but the plugin may
 * connect; else the user's `requestCert` decides.
 *
 * @throws TlsError ERR_TLS_CERTIFICATE - the host has no certificate of its own to show
 */
export function serverRole(tls: ConnectionOptions, autoMTLS: boolean): PluginTls {
  const { cert, key, pfx, ca, requestCert, minVersion, maxVersion, ciphers } = tls;
  if (cert === undefined && pfx === undefined && tls.secureContext === undefined) {
    throw new TlsError(
      "ERR_TLS_CERTIFICATE",
      "brokered servers need a certificate: the TLS configuration has neither cert and key nor pfx",
    );
  }
  const certificates = {
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(pfx !== undefined && { pfx }),
    ...(tls.passphrase !== undefined && { passphrase: tls.passphrase }),
    ...(tls.secureContext !== undefined && { secureContext: tls.secureContext }),
    ...(ca !== undefined && { ca }),
  };
  const rest = {
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(ciphers !== undefined && { ciphers }),
  };
  const requires = autoMTLS || requestCert === true;
  return {
    options: { ...certificates, ...rest, requestCert: requires, rejectUnauthorized: requires },
    ...(autoMTLS && { pinned: new builtin.crypto.X509Certificate(ca as string) }),
  };
}

/** How a plugin dials brokered connections, given how it serves its host. */
export function clientRole({ options, pinned }: PluginTls): ConnectionOptions {
  const { cert, key, pfx, passphrase, ca, minVersion, maxVersion, ciphers } = options;
  return {
    servername: "localhost",
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(pfx !== undefined && { pfx }),
    ...(passphrase !== undefined && { passphrase }),
    ...(ca !== undefined && { ca }),
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(ciphers !== undefined && { ciphers }),
    ...(pinned !== undefined && {
      rejectUnauthorized: true,
      checkServerIdentity: (name, presented) =>
        isPinned(presented.raw, pinned)
          ? builtin.tls.checkServerIdentity(name, presented)
          : new TlsError("ERR_TLS_PEER", "the host's certificate is not the one that it announced"),
    }),
  };
}
