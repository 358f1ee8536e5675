// What doctor can find, by name, and the shape of a finding. Owns the ids, which are stable: support desks and scripts
// match on them. docs/doctor.md is held against this list by a test.
import type { ErrorCode } from '../errors/codes.ts';
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';

/** One thing to know each, from this machine outwards. */
export type DoctorLayer =
  | 'platform'
  | 'route'
  | 'proxy-dns'
  | 'proxy-tcp'
  | 'proxy-tls'
  | 'offers'
  | 'identity'
  | 'handshake';

/** Every finding, with its layer. */
export const FINDINGS = {
  platform: 'platform',
  'security-library': 'platform',
  route: 'route',
  'proxy-address': 'proxy-dns',
  'proxy-canonical-name': 'proxy-dns',
  'proxy-tcp': 'proxy-tcp',
  'proxy-tls': 'proxy-tls',
  'proxy-offers': 'offers',
  'proxy-keeps-connection': 'offers',
  identity: 'identity',
  'sign-on-rule': 'identity',
  kerberos: 'identity',
  ntlm: 'identity',
  handshake: 'handshake',
} as const satisfies Record<string, DoctorLayer>;

export type FindingId = keyof typeof FINDINGS;

/**
 * - `ok`: as it should be
 * - `note`: worth knowing, stops nothing by itself
 * - `problem`: does not work
 * - `skipped`: was not looked at, for the reason in the title
 */
export type FindingStatus = 'ok' | 'note' | 'problem' | 'skipped';

export interface Finding {
  readonly id: FindingId;
  readonly layer: DoctorLayer;
  readonly status: FindingStatus;
  /** One sentence. */
  readonly title: string;
  /** The error behind a `problem` or `note`; see docs/errors.md. */
  readonly code?: ErrorCode;
  /** Further lines. */
  readonly detail?: readonly string[];
  /** What to do. Whose turn it is tells the verdict. */
  readonly next?: string;
  /** The same for programs; names and numbers only. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What may be said besides the title. */
export type FindingExtra = Pick<Finding, 'detail' | 'next' | 'data'>;

export function finding(
  id: FindingId,
  status: FindingStatus,
  title: string,
  extra: FindingExtra = {},
): Finding {
  return { id, layer: FINDINGS[id], status, title, ...extra };
}

/** A finding that is an error: its words, its code, its hint. */
export function failed(
  id: FindingId,
  error: SallyportError,
  extra: FindingExtra = {},
  status: FindingStatus = 'problem',
): Finding {
  const { code, message, hint } = error;
  const next = hint === undefined ? {} : { next: hint };
  return { id, layer: FINDINGS[id], status, title: message, code, ...next, ...extra };
}

/** Whatever was thrown, as an error with a code. */
export function asError(thrown: unknown): SallyportError {
  if (isSallyportError(thrown)) {
    return thrown;
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new SallyportError('UNEXPECTED', `Unexpected failure: ${message}`, {
    cause: thrown,
    hint: 'This is a fault in Sallyport: please report it with the output of the same command.',
  });
}
