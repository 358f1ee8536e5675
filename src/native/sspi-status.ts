// What SSPI's statuses mean to a person. Owns the choice of code and sentence; the rows are `sspi-status-rows.ts`.
import type { ErrorCode } from '../errors/codes.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { ContextMechanism } from './security-context.ts';
import type { SspiStatus } from './sspi-library.ts';
import type { SspiStatusRow } from './sspi-status-rows.ts';
import { SSPI_STATUSES } from './sspi-status-rows.ts';

/** What was being done. */
export interface SspiSubject {
  /** `HTTP/host` */
  readonly spn: string;
  readonly mechanism: ContextMechanism | null;
  /** Whether the server's token was being read. */
  readonly readsAnswer: boolean;
}

const rows = new Map(SSPI_STATUSES.map((row) => [row.status, row]));

/** Kerberos reads nothing but the server's proof: what fails over it and is none of these is the lack of a proof. */
const TOLD_BY_SERVER: readonly ErrorCode[] = ['CLOCK_SKEW', 'TICKET_EXPIRED', 'TICKET_REFUSED'];

/** The error of a status that is none of success. */
export function sspiError(done: SspiStatus, subject: SspiSubject): SallyportError {
  const row = rows.get(done.status) ?? unknownStatus(done.status);
  const sentence = row.says.replaceAll('%s', subject.spn);
  return new SallyportError(codeOf(row, subject), `${sentence} (${row.symbol})`, {
    hint: row.hint,
    native: { api: 'SSPI', call: done.call, status: done.status, symbol: row.symbol },
  });
}

function codeOf({ code }: SspiStatusRow, { mechanism, readsAnswer }: SspiSubject): ErrorCode {
  if (!readsAnswer) {
    return code === 'CHALLENGE_INVALID' ? 'SIGN_ON_FAILED' : code;
  }
  return mechanism === 'Kerberos' && !TOLD_BY_SERVER.includes(code) ? 'SERVER_UNPROVEN' : code;
}

function unknownStatus(status: number): SspiStatusRow {
  const symbol = `0x${status.toString(16).padStart(8, '0')}`;
  return {
    status,
    symbol,
    code: 'SIGN_ON_FAILED',
    says: 'Windows’ security service failed with a status Sallyport has no name for',
    hint: 'Look the number up, and give a name with --user meanwhile.',
  };
}
