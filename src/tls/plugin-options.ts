import type { X509Certificate } from "node:crypto";
import type { TlsOptions } from "node:tls";
import { builtin } from "../builtin.js";
import { generateCertificate } from "./certificate.js";
import { unusableOptions } from "./errors.js";
import { readCertificatePem } from "./pinned-certificate.js";

/** What decides how a plugin secures its connections. */
export interface PluginTlsSettings {
  /** The user's own configuration; where it gives one, AutoMTLS is not used (server.go, Serve). */
  readonly provider?: (() => TlsOptions | Promise<TlsOptions>) | undefined;
  /** The value of PLUGIN_CLIENT_CERT: PEM of the host's one-time certificate. Empty is like absent. */
  readonly clientCert?: string | undefined;
}

/** How a plugin secures its connections. */
export interface PluginTls {
  /** For `tls.createServer`. */
  readonly options: TlsOptions;
  /** With AutoMTLS: the plugin's own one-time certificate (DER), which the handshake line announces. */
  readonly announce?: Buffer;
  /** With AutoMTLS: the only certificate that a host may present. */
  readonly pinned?: X509Certificate;
}

/**
 * Decides what TLS a plugin speaks: the provider's, AutoMTLS when the host sent its certificate, or none (undefined).
 * With AutoMTLS the host must present its certificate, and no other is accepted (server.go, Serve).
 *
 * @throws TlsError ERR_TLS_CERTIFICATE: PLUGIN_CLIENT_CERT is not one PEM certificate; ERR_TLS_CONFIG: the provider's
 * options cannot be used; whatever the provider throws
 */
export async function pluginTls({ provider, clientCert }: PluginTlsSettings): Promise<PluginTls | undefined> {
  if (provider !== undefined) return { options: usable({ minVersion: "TLSv1.2", ...(await provider()) }) };
  if (clientCert === undefined || clientCert === "") return undefined;
  const pinned = readCertificatePem(clientCert, "PLUGIN_CLIENT_CERT");
  const own = await generateCertificate();
  return {
    options: {
      cert: own.certPem,
      key: own.keyPem,
      ca: pinned.toString(),
      minVersion: "TLSv1.2",
      requestCert: true,
      rejectUnauthorized: true,
    },
    announce: own.certDer,
    pinned,
  };
}

/** A plugin whose options are wrong must say so before it announces itself, not at its first connection. */
function usable(options: TlsOptions): TlsOptions {
  try {
    builtin.tls.createSecureContext(options);
  } catch (error) {
    throw unusableOptions(error);
  }
  return options;
}
