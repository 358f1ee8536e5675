// Servers that mean no good, and programs that are careless: hostile tokens end in an error and never in a crash, and
// contexts that are dropped leave nothing behind. Each library in a process of its own, which must end well.
import { describe, expect, it } from 'vitest';
import type { ContextRequest } from '../../src/native/security-context.ts';
import { hostileTokens } from './hostile-tokens.ts';
import { ensureLab } from './lab.ts';
import { RemoteGssapi } from './remote-gssapi.ts';

const lab = await ensureLab();
const LIBRARIES = { MIT: 'libgssapi_krb5.so.2', Heimdal: 'libgssapi.so.3' } as const;
const WAYS = [
  { flavour: 'MIT', way: 'negotiate' },
  { flavour: 'MIT', way: 'kerberos' },
  { flavour: 'MIT', way: 'negotiate-ntlm' },
  { flavour: 'MIT', way: 'ntlm' },
  { flavour: 'Heimdal', way: 'negotiate' },
  { flavour: 'Heimdal', way: 'kerberos' },
] as const;
const REQUEST = {
  spn: 'HTTP/proxy.corp.example',
  credentials: null,
  channelBindings: null,
  allowNtlm: false,
  mutual: true,
  delegate: false,
} as const;
const ROUNDS = 5_000;
/** One arena and one thread: what is left of the noise of memory is small. */
const FRUGAL = { NTLMUSER: 'alice', MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '1' };

describe.skipIf(!lab.available)('hostile tokens', () => {
  it.each(WAYS)('$flavour, $way: an error or nothing, and no crash', async ({ flavour, way }) => {
    const tokens = hostileTokens();
    const remote = new RemoteGssapi(LIBRARIES[flavour], { NTLMUSER: 'alice' });
    const request: ContextRequest = { ...REQUEST, package: way };
    const { outcomes = [] } = await remote.ask('hostile', { request, tokens });
    expect(outcomes).toHaveLength(tokens.length);
    const seen = new Set(outcomes);
    // NTLM proves no server: an old challenge is as good as a new one.
    if (way === 'negotiate' || way === 'kerberos') {
      expect(seen).not.toContain('token');
    }
    expect([...seen].filter((word) => !EXPECTED.includes(word))).toEqual([]);
    expect(await remote.close()).toBe(0);
  });
});

describe.skipIf(!lab.available).concurrent(`${ROUNDS} contexts begun and dropped`, () => {
  const ROWS = WAYS.filter(({ way }) => way !== 'kerberos');

  it.each(ROWS)('$flavour, $way: memory stays flat', async ({ flavour, way }) => {
    const remote = new RemoteGssapi(LIBRARIES[flavour], FRUGAL);
    const request = { ...REQUEST, package: way };
    // The beginning of a challenge: the second call fails.
    const token = Buffer.from('TlRMTVNTUAACAAAA', 'base64').toString('hex');
    const { memory = [] } = await remote.ask('abandon', { request, rounds: ROUNDS, token });
    // Of 3,500 rounds. A Kerberos token lost in each would be 5 MiB, a context more; without loss it is 1 MiB.
    const [settled = Number.NaN] = memory.slice(2);
    expect(((memory.at(-1) ?? Number.NaN) - settled) / 2 ** 20).toBeLessThan(3);
    expect(await remote.close()).toBe(0);
  });
});

const EXPECTED: readonly string[] = [
  'token',
  'nothing',
  'CHALLENGE_INVALID',
  'CHALLENGE_TOO_LARGE',
  'SERVER_UNPROVEN',
  'SIGN_ON_FAILED',
];
