import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../http1/challenges.ts';
import type { PickInput } from './pick-scheme.ts';
import { pickScheme } from './pick-scheme.ts';
import { refusalError } from './refusals.ts';

const input = (offers: string, more: Partial<PickInput> = {}): PickInput => ({
  offers: parseChallenges([offers]),
  allow: ['negotiate', 'ntlm'],
  hasIdentity: true,
  setAside: new Set(),
  negotiateForm: 'auto',
  encrypted: false,
  allowBasicHttp: false,
  ...more,
});

const errorFor = (offers: string, more: Partial<PickInput> = {}) =>
  refusalError({
    host: 'proxy:3128',
    layer: 'proxy',
    user: null,
    refusals: pickScheme(input(offers, more)).refusals,
  });

describe('pickScheme()', () => {
  it.each<[string, string, Partial<PickInput>, string | null]>([
    [
      'the allow-list orders, not the offers',
      'Basic realm=x, NTLM, Negotiate',
      {},
      'negotiate-ntlm',
    ],
    [
      'the order of the allow-list is kept',
      'Negotiate, NTLM',
      { allow: ['ntlm', 'negotiate'] },
      'ntlm',
    ],
    ['a decoy is not Negotiate', 'Magic-Negotiate, NTLM', {}, 'ntlm'],
    ['case does not matter', 'ntlm', {}, 'ntlm'],
    [
      'the wrapped form can be asked for',
      'Negotiate',
      { negotiateForm: 'spnego' },
      'negotiate-spnego',
    ],
    [
      'the raw form only, when asked',
      'Negotiate',
      { negotiateForm: 'raw', setAside: new Set(['negotiate-ntlm']) },
      null,
    ],
    [
      'raw refused: NTLM before the wrapped form',
      'Negotiate, NTLM',
      { setAside: new Set(['negotiate-ntlm']) },
      'ntlm',
    ],
    [
      'raw refused: the wrapped form',
      'Negotiate',
      { setAside: new Set(['negotiate-ntlm']) },
      'negotiate-spnego',
    ],
    [
      'both forms refused',
      'Negotiate',
      { setAside: new Set(['negotiate-ntlm', 'negotiate-spnego']) },
      null,
    ],
    ['Basic is not allowed by itself', 'Basic realm=x', { encrypted: true }, null],
    ['Basic inside TLS, allowed', 'Basic realm=x', { allow: ['basic'], encrypted: true }, 'basic'],
    ['Basic in clear, allowed only half', 'Basic realm=x', { allow: ['basic'] }, null],
    [
      'Basic in clear, allowed',
      'Basic realm=x',
      { allow: ['basic'], allowBasicHttp: true },
      'basic',
    ],
    [
      'a stronger scheme goes before Basic',
      'Basic realm=x, NTLM',
      { allow: ['ntlm', 'basic'], encrypted: true },
      'ntlm',
    ],
    [
      'never from a refused scheme down to Basic',
      'Basic realm=x, NTLM',
      { allow: ['ntlm', 'basic'], encrypted: true, setAside: new Set(['ntlm']) },
      null,
    ],
    ['nobody to sign on', 'NTLM', { hasIdentity: false }, null],
    ['nothing offered', '', {}, null],
    ['nothing known offered', 'Digest realm=x, Bearer', {}, null],
  ])('%s', (_claim, offers, more, wanted) => {
    expect(pickScheme(input(offers, more)).chosen).toBe(wanted);
  });
});

describe('refusalError()', () => {
  it.each<[string, Partial<PickInput>, string]>([
    ['NTLM', { hasIdentity: false }, 'CREDENTIALS_MISSING'],
    ['', {}, 'SCHEME_UNSUPPORTED'],
    ['Digest realm=x', {}, 'SCHEME_UNSUPPORTED'],
    ['Negotiate', { setAside: new Set(['negotiate-ntlm', 'negotiate-spnego']) }, 'KERBEROS_ONLY'],
    ['NTLM, Basic realm=x', { allow: ['negotiate'] }, 'SCHEME_NOT_ALLOWED'],
    ['Basic realm=x', {}, 'BASIC_NOT_ALLOWED'],
    ['Digest realm=x, Basic realm=x', {}, 'BASIC_NOT_ALLOWED'],
  ])('%j with %j is %s', (offers, more, code) => {
    expect(errorFor(offers, more)).toMatchObject({ code });
  });

  it('names the options that would let Basic pass', () => {
    expect(errorFor('Basic realm=x').remedy).toEqual({ auth: 'basic', allowBasicHttp: true });
    expect(errorFor('Basic realm=x', { encrypted: true }).remedy).toEqual({ auth: 'basic' });
    expect(errorFor('NTLM', { allow: ['negotiate'] }).remedy).toEqual({ auth: 'ntlm' });
  });
});
