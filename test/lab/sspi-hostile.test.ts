// Servers that mean no good, and programs that are careless, against SSPI: hostile tokens end in an error or in a harmless
// token and never in a crash, and contexts that are dropped leave nothing behind.
import { afterAll, describe, expect, it } from 'vitest';
import { hostileTokens } from './hostile-tokens.ts';
import { outcomesOf } from './json-lines.ts';
import { ensureLab, LAB } from './lab.ts';
import type { SspiAction, SspiOutcome, SspiRequest } from './windows/sspi-program.ts';
import { endWindows, runOnWindows } from './windows.ts';
import { runWithWinpr, WINPR } from './winpr.ts';

const PROGRAM = 'test/lab/windows/sspi-program.ts';
const lab = await ensureLab();
const { name: user, domain, password } = LAB.users.bob;
const REQUEST: SspiRequest = {
  package: 'ntlm',
  spn: 'HTTP/proxy.corp.example',
  credentials: { user, domain, password },
  channelBindings: null,
  allowNtlm: true,
  mutual: true,
  delegate: false,
};
const EXPECTED: readonly string[] = [
  'token',
  'nothing',
  'CHALLENGE_INVALID',
  'CHALLENGE_TOO_LARGE',
  'SERVER_UNPROVEN',
  'SIGN_ON_FAILED',
  'SIGN_ON_UNAVAILABLE',
];

/** The beginning of a challenge. */
const BROKEN = Buffer.from('TlRMTVNTUAACAAAA', 'base64').toString('hex');
/** Of CORP, made by ntlm_auth (test/fixtures/transcripts.json). */
const CHALLENGE =
  '4e544c4d5353500002000000040004003800000006828902542af75c7e9a98990000000000000000320032003c000000060100000000000f434f52500200080043004f005200500001000600440043003100040000000300040076006d00070008002288cf3f4b7bdd0100000000';

/** V8's own memory grows in steps of many MiB otherwise. */
const STEADY_V8 = ['--expose-gc', '--max-semi-space-size=1', '--single-threaded-gc', '--no-opt'];
const WARM_UP_ROUNDS = 5_000;
const ROUNDS = 10_000;

afterAll(endWindows);

describe.skipIf(!lab.available)('hostile tokens', () => {
  const tokens = hostileTokens();
  const insult = (request: Partial<SspiRequest>): SspiAction => ({
    action: 'hostile',
    name: request.package ?? '',
    request: { ...REQUEST, ...request },
    tokens,
  });

  it('WinPR: an error or a harmless token, and no crash', async () => {
    const outcomes = await runWinpr([
      insult({ package: 'ntlm' }),
      insult({ package: 'negotiate' }),
    ]);
    expect(outcomes).toHaveLength(2);
    for (const { outcomes: seen = [] } of outcomes) {
      expect(seen).toHaveLength(tokens.length);
      expect(seen.filter((word) => !EXPECTED.includes(word))).toEqual([]);
    }
  });

  it('Wine: an error or a harmless token, and no crash', async () => {
    const asMyself = { credentials: null };
    const actions = [
      insult({ package: 'ntlm' }),
      insult({ package: 'negotiate', ...asMyself }),
      insult({ package: 'kerberos', ...asMyself }),
    ];
    const input = JSON.stringify({ actions });
    const outcomes = outcomesOf<SspiOutcome>(
      await runOnWindows({ node: '22', program: PROGRAM, input }),
    );
    expect(outcomes).toHaveLength(3);
    for (const { name, outcomes: seen = [] } of outcomes) {
      expect(seen).toHaveLength(tokens.length);
      expect(seen.filter((word) => !EXPECTED.includes(word))).toEqual([]);
      // NTLM proves no server: an old challenge is as good as a new one. Kerberos takes nothing but a proof.
      if (name !== 'ntlm') {
        expect(seen.filter((word) => word === 'token' || word === 'nothing')).toEqual([]);
      }
    }
  });
});

describe.skipIf(!lab.available)(`${ROUNDS} contexts begun and dropped`, () => {
  it.each([
    ['ntlm', 'a broken challenge', BROKEN, ['CHALLENGE_INVALID']],
    ['ntlm', 'a good challenge', CHALLENGE, []],
    ['negotiate', 'a broken challenge', BROKEN, ['CHALLENGE_INVALID']],
    ['kerberos', 'no challenge', null, ['SIGN_ON_UNAVAILABLE']],
  ] as const)('WinPR, %s, %s: memory stays flat', async (name, _what, token, errors) => {
    const request = { ...REQUEST, package: name };
    const abandon = { action: 'abandon', name, request, token } as const;
    const [before, after] = await runWinpr([
      { ...abandon, rounds: WARM_UP_ROUNDS },
      { ...abandon, rounds: ROUNDS },
    ]);
    expect(after?.outcomes).toEqual(errors);
    const grown = (after?.memory?.at(-1) ?? Number.NaN) - (before?.memory?.at(-1) ?? Number.NaN);
    // A context lost in each round would be 20 MiB, credentials 3 MiB.
    expect(grown / 2 ** 20).toBeLessThan(2);
  });
});

async function runWinpr(actions: readonly SspiAction[]): Promise<SspiOutcome[]> {
  const input = JSON.stringify({ library: WINPR, actions });
  return outcomesOf<SspiOutcome>(
    await runWithWinpr({ program: PROGRAM, input, nodeOptions: STEADY_V8 }),
  );
}
