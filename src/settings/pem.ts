// PEM texts (RFC 7468). Owns the splitting and the size of a file of them; whether a certificate is one is the reader's.

/** The bundle of a Linux distribution has 220 KiB. */
export const MAX_PEM_BYTES = 16 * 1024 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a text, whatever else is in it. */
export function splitCertificates(text: string): string[] {
  return text.match(CERTIFICATE) ?? [];
}
