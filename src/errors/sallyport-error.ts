// The one error class. It owns the brand, the code and the blame; it never holds a secret or a token.
import type { Blame, ErrorCode, Outcome } from './codes.ts';
import { ERROR_CODES } from './codes.ts';

/** A cross-realm brand: two copies of Sallyport in one process recognise each other's errors. */
const BRAND: unique symbol = Symbol.for('sallyport.error') as never;

/** What an operating system's security library answered, kept as it was. */
export interface NativeStatus {
  readonly api: 'SSPI' | 'GSSAPI' | 'WinHTTP';
  readonly call: string;
  readonly status: number;
  /** What the mechanism at work adds (GSSAPI's minor status), unsigned. */
  readonly minor?: number;
  readonly symbol: string;
}

/** What did not come in time: an address for the name, a connection, any byte, or the end of what had begun. */
export type WaitedFor = 'name' | 'connection' | 'bytes' | 'answer';

export interface SallyportErrorOptions {
  /** What is to be done next, as a sentence. */
  readonly hint?: string;
  /** Option names and values that would let this pass: the command line prints them as a command. */
  readonly remedy?: Readonly<Record<string, string | true>>;
  readonly native?: NativeStatus;
  /** The HTTP status, where an answer is the failure. */
  readonly status?: number;
  /** How long that answer asks to wait (Retry-After), in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Of a TIMEOUT. */
  readonly waitedFor?: WaitedFor;
  readonly cause?: unknown;
}

/**
 * Every failure Sallyport raises on purpose. Match on `code`; `message` is for people: what
 * happened, with the host it happened at. `hint` says what to do next.
 */
export class SallyportError extends Error {
  override readonly name = 'SallyportError';
  readonly code: ErrorCode;
  readonly blame: Blame;
  readonly outcome: Outcome;
  readonly hint: string | undefined;
  readonly remedy: Readonly<Record<string, string | true>> | undefined;
  readonly native: NativeStatus | undefined;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly waitedFor: WaitedFor | undefined;
  readonly [BRAND] = true;

  /**
   * @param code a row of the table in `codes.ts`
   * @param detail what happened, in a sentence without a final period; the row's summary stands in
   */
  constructor(code: ErrorCode, detail?: string, options: SallyportErrorOptions = {}) {
    super(
      detail ?? ERROR_CODES[code].summary,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.blame = ERROR_CODES[code].blame;
    this.outcome = ERROR_CODES[code].outcome;
    this.hint = options.hint;
    this.remedy = options.remedy;
    this.native = options.native;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.waitedFor = options.waitedFor;
  }

  /** What `--json` and structured logs show: no stack, no cause. */
  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      blame: this.blame,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.native === undefined ? {} : { native: this.native }),
      ...(this.status === undefined ? {} : { status: this.status }),
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
    };
  }
}

/** Tells whether a value is a SallyportError, of this copy of the package or another. */
export function isSallyportError(value: unknown): value is SallyportError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
