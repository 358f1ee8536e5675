import { describe, expect, it } from 'vitest';
import type { SspiSubject } from './sspi-status.ts';
import { sspiError } from './sspi-status.ts';
import { SSPI_STATUSES } from './sspi-status-rows.ts';

const FIRST: SspiSubject = { spn: 'HTTP/p.example', mechanism: null, readsAnswer: false };
const failed = (status: number) => ({ call: 'InitializeSecurityContextW', status });

describe('SSPI_STATUSES', () => {
  it('has each number and each symbol once, all of them failures', () => {
    const numbers = SSPI_STATUSES.map(({ status }) => status);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(new Set(SSPI_STATUSES.map(({ symbol }) => symbol)).size).toBe(numbers.length);
    expect(numbers.filter((status) => status < 0x8000_0000)).toEqual([]);
  });

  it('says of each what happened and what to do', () => {
    for (const { says, hint } of SSPI_STATUSES) {
      expect(says).toMatch(/^[A-Z].*[^.]$/u);
      expect(hint).toMatch(/^[A-Z].*\.$/u);
    }
  });
});

describe('sspiError()', () => {
  it.each([
    [0x8009_0303, 'SPN_UNKNOWN', 'SEC_E_TARGET_UNKNOWN'],
    [0x8009_0305, 'SIGN_ON_UNAVAILABLE', 'SEC_E_SECPKG_NOT_FOUND'],
    [0x8009_030c, 'CREDENTIALS_REFUSED', 'SEC_E_LOGON_DENIED'],
    [0x8009_030d, 'SIGN_ON_MISSING', 'SEC_E_UNKNOWN_CREDENTIALS'],
    [0x8009_030e, 'SIGN_ON_MISSING', 'SEC_E_NO_CREDENTIALS'],
    [0x8009_0311, 'KDC_UNREACHABLE', 'SEC_E_NO_AUTHENTICATING_AUTHORITY'],
    [0x8009_0317, 'TICKET_EXPIRED', 'SEC_E_CONTEXT_EXPIRED'],
    [0x8009_0322, 'TICKET_REFUSED', 'SEC_E_WRONG_PRINCIPAL'],
    [0x8009_0324, 'CLOCK_SKEW', 'SEC_E_TIME_SKEW'],
    [0x8009_0350, 'KDC_UNREACHABLE', 'SEC_E_DOWNGRADE_DETECTED'],
    [0x8009_0363, 'SERVER_UNPROVEN', 'SEC_E_MUTUAL_AUTH_FAILED'],
    [0xc000_0071, 'PASSWORD_EXPIRED', 'STATUS_PASSWORD_EXPIRED'],
    [0xc000_0072, 'ACCOUNT_DISABLED', 'STATUS_ACCOUNT_DISABLED'],
    [0x8009_0304, 'SIGN_ON_FAILED', 'SEC_E_INTERNAL_ERROR'],
    [0x8009_0399, 'SIGN_ON_FAILED', '0x80090399'],
  ])('calls %i %s and keeps the symbol', (status, code, symbol) => {
    const error = sspiError(failed(status), FIRST);
    expect(error).toMatchObject({
      code,
      native: { api: 'SSPI', call: 'InitializeSecurityContextW', status, symbol },
    });
    expect(error.message).toContain(symbol);
    expect(error.hint).toBeDefined();
  });

  it('names the service', () => {
    expect(sspiError(failed(0x8009_0303), FIRST).message).toContain('HTTP/p.example');
  });

  it.each([
    [0x8009_0308, { readsAnswer: false }, 'SIGN_ON_FAILED'],
    [0x8009_0308, { readsAnswer: true, mechanism: 'NTLM' }, 'CHALLENGE_INVALID'],
    [0x8009_030f, { readsAnswer: true, mechanism: 'NTLM' }, 'CHALLENGE_INVALID'],
    [0x8009_0308, { readsAnswer: true, mechanism: 'Kerberos' }, 'SERVER_UNPROVEN'],
    [0x8009_0324, { readsAnswer: true, mechanism: 'Kerberos' }, 'CLOCK_SKEW'],
    [0x8009_0322, { readsAnswer: true, mechanism: 'Kerberos' }, 'TICKET_REFUSED'],
  ] as const)('reads %i by what was being done: %o', (status, subject, code) => {
    expect(sspiError(failed(status), { ...FIRST, ...subject }).code).toBe(code);
  });
});
