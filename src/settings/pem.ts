// PEM texts (RFC 7468). Owns the splitting; whether a certificate is one is the reader's.

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a text, whatever else is in it. */
export function splitCertificates(text: string): string[] {
  return text.match(CERTIFICATE) ?? [];
}
