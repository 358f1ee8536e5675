// What every system's certificate store comes down to. Owns the type the three readers share, nothing else.

export interface SystemCertificates {
  /** For people: a file, or what the store is called. */
  readonly from: string;
  /** PEM, one certificate each; not checked. */
  readonly certificates: readonly string[];
  /** Why there are none: a clause for people. */
  readonly problem?: string;
}
