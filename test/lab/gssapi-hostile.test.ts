// Servers that mean no good, and programs that are careless: hostile tokens end in an error and never in a crash, and
// contexts that are dropped leave nothing behind. Each library in a process of its own, which must end well.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ContextRequest } from '../../src/native/security-context.ts';
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
/** Threads, arenas of malloc and the optimiser have settled by then. */
const WARM_UP_ROUNDS = 2_500;

interface Vectors {
  /** Some are about the flow and have no challenge of their own. */
  readonly ntlm_negative: readonly { readonly challenge?: string }[];
}
type Transcripts = readonly {
  readonly exchanges: readonly { readonly sent?: string; readonly received?: string }[];
}[];

describe.skipIf(!lab.available)('hostile tokens', () => {
  it.each(WAYS)('$flavour, $way: an error or nothing, and no crash', async ({ flavour, way }) => {
    const tokens = [...negatives(), ...replays(), ...randomTokens(), ...mutations()];
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
    const remote = new RemoteGssapi(LIBRARIES[flavour], { NTLMUSER: 'alice' });
    const request = { ...REQUEST, package: way };
    // The beginning of a challenge: the second call fails.
    const token = Buffer.from('TlRMTVNTUAACAAAA', 'base64').toString('hex');
    const before = await remote.ask('abandon', { request, rounds: WARM_UP_ROUNDS, token });
    const after = await remote.ask('abandon', { request, rounds: ROUNDS, token });
    const grown = (after.memory?.at(-1) ?? Number.NaN) - (before.memory?.at(-1) ?? Number.NaN);
    // A Kerberos token lost in each round would be 7 MiB, a context more.
    expect(grown / 2 ** 20).toBeLessThan(5);
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

function negatives(): string[] {
  return readFixture<Vectors>('vectors.json').ntlm_negative.flatMap(
    ({ challenge }) => challenge ?? [],
  );
}

/** All that was ever sent either way, in other people's sign-ons. */
function replays(): string[] {
  return readFixture<Transcripts>('transcripts.json').flatMap(({ exchanges }) =>
    exchanges
      .flatMap(({ sent, received }) => [sent, received])
      .filter((token) => token !== undefined)
      .map((token) => Buffer.from(token, 'base64').toString('hex')),
  );
}

function randomTokens(): string[] {
  const random = seededBytes(20_261_124);
  const sizes = [1, 2, 7, 16, 31, 32, 48, 64, 100, 256, 1_000, 4_096, 65_535, 65_536, 70_000];
  const plain = sizes.flatMap((size) => [random(size), random(size)]);
  // The beginnings libraries look for, and nonsense behind them.
  const framed = ['a1', '60', 'a181', '6082ffff', '4e544c4d5353500002000000', 'a1073005a0030a0100'];
  return [
    ...plain.map((bytes) => bytes.toString('hex')),
    ...framed.flatMap((head) => [4, 40, 400].map((size) => head + random(size).toString('hex'))),
  ];
}

/** Real answers with one byte changed. */
function mutations(): string[] {
  const random = seededBytes(407);
  return replays().flatMap((token) => {
    const bytes = Buffer.from(token, 'hex');
    return [0, 1].map(() => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(random(1).readUInt8(0), random(4).readUInt32LE(0) % copy.length);
      return copy.toString('hex');
    });
  });
}

/** mulberry32: the same bytes in each run. */
function seededBytes(seed: number): (size: number) => Buffer {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) & 0xff;
  };
  return (size) => Buffer.from(Array.from({ length: size }, next));
}

function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')) as T;
}
