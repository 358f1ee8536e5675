import { describe, expect, it } from 'vitest';
import { SallyportError } from '../errors/sallyport-error.ts';
import { parseChallenges } from '../http1/challenges.ts';
import type { PickInput } from './pick-scheme.ts';
import { pickScheme } from './pick-scheme.ts';
import { refusalError } from './refusals.ts';

const WITH_DIGEST: Partial<PickInput> = { allow: ['negotiate', 'ntlm', 'digest'] };

const input = (offers: string, more: Partial<PickInput> = {}): PickInput => ({
  offers: parseChallenges([offers]),
  allow: ['negotiate', 'ntlm'],
  identity: 'password',
  allowNtlm: true,
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
    offered: input(offers).offers.map(({ scheme }) => scheme),
    refusals: pickScheme(input(offers, more)).refusals,
    identity: 'password',
    notTrusted: null,
    causes: [],
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
    ['Digest before Basic', 'Basic realm=x, Digest realm=r, nonce=n', WITH_DIGEST, 'digest'],
    ['Digest behind NTLM', 'Digest realm=r, nonce=n, NTLM', WITH_DIGEST, 'ntlm'],
    ['Digest nobody can make', 'Digest realm=r, nonce=n, algorithm=X', WITH_DIGEST, null],
    [
      'of two Digests the one that can be made',
      'Digest realm=r, nonce=n, algorithm=X, Digest realm=r, nonce=n',
      WITH_DIGEST,
      'digest',
    ],
    [
      'no Digest under MD5 where a stronger scheme failed',
      'NTLM, Digest realm=r, nonce=n',
      { ...WITH_DIGEST, setAside: new Set(['ntlm']) },
      null,
    ],
    [
      'Digest under SHA-256 where another failed',
      'NTLM, Digest realm=r, nonce=n, algorithm=SHA-256',
      { ...WITH_DIGEST, setAside: new Set(['ntlm']) },
      'digest',
    ],
    [
      'no Digest for the signed-in user',
      'Digest realm=r, nonce=n',
      { ...WITH_DIGEST, identity: 'system' },
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
    ['nobody to sign on', 'NTLM', { identity: null }, null],
    [
      'the signed-in user begins with Kerberos',
      'NTLM, Negotiate',
      { identity: 'system' },
      'negotiate',
    ],
    [
      'a password that may get a ticket begins with it',
      'NTLM, Negotiate',
      { identity: 'password-kerberos' },
      'negotiate',
    ],
    [
      'no ticket: NTLM inside Negotiate is next',
      'NTLM, Negotiate',
      { identity: 'system', setAside: new Set(['negotiate']) },
      'negotiate-ntlm',
    ],
    [
      'a form of NTLM that is asked for leaves Kerberos out',
      'Negotiate',
      { identity: 'system', negotiateForm: 'raw' },
      'negotiate-ntlm',
    ],
    [
      'NTLM forbidden: Kerberos alone',
      'NTLM, Negotiate',
      { identity: 'system', allowNtlm: false, setAside: new Set(['negotiate']) },
      null,
    ],
    [
      'the signed-in user has no password for Basic',
      'Basic realm=x',
      { identity: 'system', allow: ['basic'], encrypted: true },
      null,
    ],
    ['nothing offered', '', {}, null],
    ['nothing known offered', 'Digest realm=x, Bearer', {}, null],
  ])('%s', (_claim, offers, more, wanted) => {
    expect(pickScheme(input(offers, more)).chosen).toBe(wanted);
  });
});

describe('refusalError()', () => {
  it.each<[string, Partial<PickInput>, string]>([
    ['NTLM', { identity: null }, 'CREDENTIALS_MISSING'],
    ['NTLM', { allowNtlm: false }, 'SCHEME_NOT_ALLOWED'],
    ['', {}, 'SCHEME_UNSUPPORTED'],
    ['Digest realm=x', {}, 'SCHEME_UNSUPPORTED'],
    ['Negotiate', { setAside: new Set(['negotiate-ntlm', 'negotiate-spnego']) }, 'KERBEROS_ONLY'],
    ['NTLM, Basic realm=x', { allow: ['negotiate'] }, 'SCHEME_NOT_ALLOWED'],
    ['Basic realm=x', {}, 'BASIC_NOT_ALLOWED'],
    ['Digest realm=x, Basic realm=x', {}, 'BASIC_NOT_ALLOWED'],
  ])('%j with %j is %s', (offers, more, code) => {
    expect(errorFor(offers, more)).toMatchObject({ code });
  });

  it('tells the signed-in user what the operating system said', () => {
    const offers = input('Negotiate', {
      identity: 'system',
      setAside: new Set(['negotiate', 'negotiate-ntlm', 'negotiate-spnego']),
    });
    const error = refusalError({
      host: 'proxy:3128',
      layer: 'proxy',
      user: null,
      offered: ['Negotiate'],
      refusals: pickScheme(offers).refusals,
      identity: 'system',
      notTrusted: null,
      causes: [new SallyportError('TICKET_EXPIRED', 'The ticket has expired', { hint: 'kinit.' })],
    });
    expect(error).toMatchObject({
      code: 'TICKET_EXPIRED',
      hint: 'kinit. Or give a name with --user.',
    });
    expect(error.message).toContain('proxy:3128');
  });

  it('says which rule keeps the user’s own sign-on away, and how to lift it', () => {
    const error = refusalError({
      host: 'proxy:3128',
      layer: 'proxy',
      user: null,
      offered: ['NTLM'],
      refusals: pickScheme(input('NTLM', { identity: 'system', allowNtlm: false })).refusals,
      identity: 'system',
      notTrusted: 'proxy was found by WPAD alone: Kerberos only',
      causes: [],
    });
    expect(error).toMatchObject({ code: 'SIGN_ON_NOT_TRUSTED' });
    expect(`${error.message} ${error.hint}`).toMatch(/WPAD alone.*sallyport trust proxy$/);
  });

  it('names the options that would let Basic pass', () => {
    const all = 'negotiate,ntlm,basic';
    expect(errorFor('Basic realm=x').remedy).toEqual({ auth: all, allowBasicHttp: true });
    expect(errorFor('Basic realm=x', { encrypted: true }).remedy).toEqual({ auth: all });
    expect(errorFor('Basic realm=x', { allow: ['basic'] }).remedy).toEqual({
      allowBasicHttp: true,
    });
  });

  it('keeps what is allowed in the list that would pass, and lets Basic be no downgrade', () => {
    expect(errorFor('Negotiate', { allow: ['ntlm', 'basic'] })).toMatchObject({
      hint: 'To allow one:',
      remedy: { auth: 'ntlm,basic,negotiate' },
    });
    const refused = { encrypted: true, setAside: new Set(['ntlm'] as const) };
    expect(errorFor('NTLM, Basic realm=x', refused).remedy).toEqual({ auth: 'basic' });
  });

  it('names the user in the command, where Basic has nobody', () => {
    const offers = parseChallenges(['Basic realm=x']);
    const whose = (context: Partial<Parameters<typeof refusalError>[0]>) =>
      refusalError({
        host: 'proxy:3128',
        layer: 'proxy',
        user: null,
        offered: ['Basic'],
        refusals: pickScheme({ ...input(''), offers, identity: 'system' }).refusals,
        identity: 'system',
        notTrusted: null,
        causes: [],
        ...context,
      });
    expect(whose({})).toMatchObject({
      hint: expect.stringMatching(/, with your name for NAME:$/),
      remedy: { user: 'NAME', allowBasicHttp: true },
    });
    expect(whose({ layer: 'origin' }).remedy).toMatchObject({ originUser: 'NAME' });
    expect(whose({ user: 'bob', identity: null }).hint).toMatch(/, with the password of bob:$/);
  });

  it('tells of a refused ticket rather than of the NTLM that is forbidden', () => {
    const offers = input('NTLM, Negotiate', {
      identity: 'password-kerberos',
      allowNtlm: false,
      setAside: new Set(['negotiate']),
    });
    const withCause = (cause: SallyportError) =>
      refusalError({
        host: 'proxy:3128',
        layer: 'proxy',
        user: 'CORP\\alice',
        offered: ['NTLM', 'Negotiate'],
        refusals: pickScheme(offers).refusals,
        identity: 'password',
        notTrusted: null,
        causes: [cause],
      });
    expect(withCause(new SallyportError('TICKET_REFUSED', 'refused'))).toMatchObject({
      code: 'TICKET_REFUSED',
    });
    expect(
      withCause(new SallyportError('SIGN_ON_UNAVAILABLE', 'proxy:3128: no library')),
    ).toMatchObject({
      code: 'SCHEME_NOT_ALLOWED',
      hint: 'no library. Allow NTLM by leaving out --no-ntlm and allowNtlm: false.',
    });
  });

  it('is about what is offered, not about what the signed-in user could not begin', () => {
    const mine = { identity: 'system', setAside: new Set(['ntlm'] as const) } as const;
    const error = refusalError({
      host: 'proxy:3128',
      layer: 'proxy',
      user: null,
      offered: ['Basic'],
      refusals: pickScheme(input('Basic realm=x', mine)).refusals,
      identity: 'system',
      notTrusted: null,
      causes: [new SallyportError('SIGN_ON_UNAVAILABLE', 'No library')],
    });
    expect(error.code).toBe('BASIC_NOT_ALLOWED');
  });

  it('begins with what to do where the operating system gave no hint', () => {
    const refusals = pickScheme(
      input('NTLM', { identity: 'system', setAside: new Set(['ntlm']) }),
    ).refusals;
    const error = refusalError({
      host: 'proxy:3128',
      layer: 'proxy',
      user: null,
      offered: ['NTLM'],
      refusals,
      identity: 'system',
      notTrusted: null,
      causes: [new SallyportError('SIGN_ON_UNAVAILABLE', 'No library')],
    });
    expect(error.hint).toBe('Give a name with --user.');
  });
});
