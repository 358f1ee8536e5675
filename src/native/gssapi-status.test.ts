// The tables of statuses: every row is sound, and which row wins.
import { describe, expect, it } from 'vitest';
import type { GssSubject } from './gssapi-status.ts';
import { gssError, majorSymbol } from './gssapi-status.ts';
import { KERBEROS_MINORS, ROUTINE_ERRORS } from './gssapi-status-rows.ts';

const BASE = 2 ** 32 - 1_765_328_384;
const FAILURE = 13 << 16;
const SUBJECT: GssSubject = {
  mechanism: 'Kerberos',
  spn: 'HTTP/proxy.corp.example',
  principal: 'alice@CORP.EXAMPLE',
  readsAnswer: false,
  hasCredential: true,
};

function codeOf(major: number, offset: number, subject: Partial<GssSubject> = {}): string {
  const status = { call: 'gss_init_sec_context', major, minor: offset === 0 ? 0 : BASE + offset };
  return gssError(status, '', { ...SUBJECT, ...subject }).code;
}

describe('gssError()', () => {
  it.each([
    [7, 'SPN_UNKNOWN'],
    [18, 'ACCOUNT_DISABLED'],
    [23, 'PASSWORD_EXPIRED'],
    [24, 'CREDENTIALS_REFUSED'],
    [32, 'TICKET_EXPIRED'],
    [37, 'CLOCK_SKEW'],
    [141, 'TICKET_MISSING'],
    [154, 'KDC_UNREACHABLE'],
    [156, 'KDC_UNREACHABLE'],
    [195, 'TICKET_MISSING'],
    [224, 'SIGN_ON_MISSING'],
  ])('knows the minor status of Kerberos at +%i as %s', (offset, code) => {
    expect(codeOf(FAILURE, offset)).toBe(code);
  });

  it.each([
    [7, 'TICKET_MISSING'],
    [9, 'CHALLENGE_INVALID'],
    [11, 'TICKET_EXPIRED'],
    [6, 'SERVER_UNPROVEN'],
    [1, 'SIGN_ON_UNAVAILABLE'],
    [13, 'SIGN_ON_FAILED'],
    [99, 'SIGN_ON_FAILED'],
  ])('goes by routine error %i when the minor status says nothing: %s', (routine, code) => {
    expect(codeOf(routine << 16, 0)).toBe(code);
  });

  it('keeps statuses as they were, the words of the library and who it was about', () => {
    const status = { call: 'gss_acquire_cred_with_password', major: 7 << 16, minor: BASE + 24 };
    const error = gssError(status, 'Preauthentication failed', SUBJECT);
    expect(error.message).toBe(
      'The password of alice@CORP.EXAMPLE was refused (Preauthentication failed)',
    );
    expect(error.native).toEqual({
      api: 'GSSAPI',
      call: 'gss_acquire_cred_with_password',
      status: 7 << 16,
      minor: BASE + 24,
      symbol: 'GSS_S_NO_CRED KRB5KDC_ERR_PREAUTH_FAILED',
    });
  });

  it('takes any failure over the server’s answer for the want of its proof', () => {
    for (const offset of [0, 31, 41]) {
      expect(codeOf(FAILURE, offset, { readsAnswer: true })).toBe('SERVER_UNPROVEN');
    }
  });

  it.each([
    [37, 'CLOCK_SKEW'],
    [44, 'TICKET_REFUSED'],
  ])('believes a server that refuses the ticket with +%i: %s', (offset, code) => {
    expect(codeOf(FAILURE, offset, { readsAnswer: true })).toBe(code);
  });

  it('tells an old ticket from none where Heimdal had no credentials to give', () => {
    expect(codeOf(FAILURE, 141, { hasCredential: false })).toBe('TICKET_EXPIRED');
    expect(codeOf(FAILURE, 0, { hasCredential: false })).toBe('TICKET_MISSING');
    expect(codeOf(FAILURE, 156, { hasCredential: false })).toBe('KDC_UNREACHABLE');
  });

  it('writes a name as it is when it has a dollar sign', () => {
    const status = { call: 'gss_acquire_cred_with_password', major: FAILURE, minor: BASE + 18 };
    const error = gssError(status, '', { ...SUBJECT, principal: 'a$&b@CORP.EXAMPLE' });
    expect(error.message).toBe('The account a$&b@CORP.EXAMPLE is disabled or locked');
  });

  it('calls the first failure of NTLM a lack of credentials, later ones what they are', () => {
    expect(codeOf(FAILURE, 0, { mechanism: 'NTLM' })).toBe('SIGN_ON_MISSING');
    const later = { mechanism: 'NTLM', readsAnswer: true } as const;
    expect(codeOf(FAILURE, 0, later)).toBe('SIGN_ON_FAILED');
    expect(codeOf(9 << 16, 0, later)).toBe('CHALLENGE_INVALID');
  });
});

describe('majorSymbol()', () => {
  it('names routine and calling errors, and shows the rest as a number', () => {
    expect(majorSymbol(FAILURE)).toBe('GSS_S_FAILURE');
    expect(majorSymbol(0x0200_0000)).toBe('GSS_S_CALL_INACCESSIBLE_WRITE');
    expect(majorSymbol(0x00ff_0000)).toBe('0x00ff0000');
  });
});

describe('the rows', () => {
  it('have a symbol of their own, a sentence without a period and a hint with one', () => {
    const rows = [...Object.values(KERBEROS_MINORS), ...Object.values(ROUTINE_ERRORS)];
    expect(new Set(rows.map(({ symbol }) => symbol)).size).toBe(rows.length);
    for (const { says, hint = 'Nothing to do.' } of rows) {
      expect(says).toMatch(/^(?:[A-Z].*|%s.*)[^.]$/u);
      expect(hint).toMatch(/\.$/u);
    }
  });
});
