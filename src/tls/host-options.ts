import type { ConnectionOptions } from "node:tls";
import { builtin } from "../builtin.js";
import { CERTIFICATE_NAME, type Certificate } from "./certificate.js";
import { TlsError } from "./errors.js";
import { isPinned, readCertificate } from "./pinned-certificate.js";

/**
 * What a host's user may say about TLS: everything of Node's `tls.connect` except where to connect to. The name that
 * is checked is `servername`, by default `localhost`, whatever the address is.
 */
export type HostTlsConfig = Omit<
  ConnectionOptions,
  "host" | "port" | "path" | "socket" | "lookup" | "timeout"
>;

/** What decides how a host secures its connection. */
export interface HostTlsSettings {
  /** The host's one-time certificate; given with AutoMTLS. */
  readonly own?: Certificate | undefined;
  /** The DER certificate that the plugin announced in its handshake line, if it announced one. */
  readonly announced?: Buffer | undefined;
  /** The user's own configuration, without AutoMTLS. */
  readonly config?: HostTlsConfig | undefined;
}

/**
 * The options with which the host connects to its plugin, for `tls.connect` (or the `tls` of yamux's `dial`), or
 * undefined for a connection without TLS.
 *
 * With AutoMTLS (`own`): the host presents its certificate and accepts exactly the announced one, which must be valid
 * now, for a server, and for `localhost` (client.go, Start and loadServerCert). Neither a name in the certificate
 * store nor NODE_TLS_REJECT_UNAUTHORIZED changes that.
 *
 * With `config`: the user's options count. As in go-plugin, a certificate that the plugin announces is the one to
 * trust, unless the user named the trusted ones (`ca`).
 *
 * @throws TlsError ERR_TLS_CERTIFICATE: AutoMTLS without an announced certificate, or with one that is none; a plugin
 * that announces one to a host that speaks no TLS
 */
export function hostTlsOptions({ own, announced, config }: HostTlsSettings): ConnectionOptions | undefined {
  if (own !== undefined) {
    if (announced === undefined) {
      throw new TlsError(
        "ERR_TLS_CERTIFICATE",
        "AutoMTLS is on, but the plugin announced no certificate: it does not support it, or has a TLS provider of its own",
      );
    }
    return pinnedOptions(own, announced);
  }
  if (config !== undefined) {
    const trusted = announced && config.ca === undefined ? { ca: readAnnounced(announced).toString() } : {};
    return { servername: CERTIFICATE_NAME, minVersion: "TLSv1.2", ...trusted, ...withCarefulCheck(config) };
  }
  if (announced !== undefined) {
    throw new TlsError(
      "ERR_TLS_CERTIFICATE",
      "the plugin announced a certificate, but the host has neither autoMTLS nor a TLS configuration",
    );
  }
  return undefined;
}

/** What the user's check throws refuses the certificate: Node would let it end the process. */
function withCarefulCheck(config: ConnectionOptions): ConnectionOptions {
  const { checkServerIdentity: check } = config;
  if (typeof check !== "function") return config;
  return {
    ...config,
    checkServerIdentity(name, presented) {
      try {
        return check(name, presented);
      } catch (cause) {
        return new TlsError("ERR_TLS_PEER", "checkServerIdentity failed", { cause });
      }
    },
  };
}

function pinnedOptions(own: Certificate, announced: Buffer): ConnectionOptions {
  const pinned = readAnnounced(announced);
  return {
    cert: own.certPem,
    key: own.keyPem,
    ca: pinned.toString(),
    servername: CERTIFICATE_NAME,
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
    checkServerIdentity(name, presented) {
      // The announced certificate is its own CA: what it has signed would pass the chain's verification too.
      if (!isPinned(presented.raw, pinned)) {
        return new TlsError("ERR_TLS_PEER", "the plugin's certificate is not the one that it announced");
      }
      return builtin.tls.checkServerIdentity(name, presented);
    },
  };
}

function readAnnounced(der: Buffer) {
  return readCertificate(der, "what the plugin announced");
}
