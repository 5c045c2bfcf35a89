/** TLS with the target, which the service speaks. */

/** What TLS with the target is to be like. */
export interface TlsRequest {
  /** The name that the target has to prove, and that it is told; by default the one that was connected to. */
  serverName?: string;
  alpn?: readonly string[];
  /** False needs the operator's leave, as does `ca`. */
  verify?: boolean;
  /** Authorities to trust instead of the service's, in PEM. */
  ca?: string;
  /** The client's own certificate and its key, in PEM. */
  certificate?: string;
  key?: string;
}

/** A certificate, read for people. */
export interface Certificate {
  subject: string;
  issuer: string;
  serialNumber: string;
  /** ISO 8601, UTC. */
  notBefore: string;
  notAfter: string;
  /** The subject alternative names. */
  names: string[];
}

/** What TLS with the target has agreed on: the `tls` of a Socket. */
export interface TlsSession {
  /** `TLSv1.3` or `TLSv1.2`. */
  protocol: string;
  cipherSuite: string;
  alpn: string | null;
  serverName: string | null;
  /** PEM, the target's own first. */
  peerCertificates: string[];
  /** The same, read. */
  certificates: Certificate[];
}
