// SSPI on the server's side: our NTLM and SSPI's own initiator against WinPR's and Wine's acceptors. What one of them
// would get wrong in silence, the other side refuses.
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { outcomesOf } from './json-lines.ts';
import { ensureLab, LAB } from './lab.ts';
import type { AcceptorOutcome, AcceptorRow } from './windows/acceptor-program.ts';
import { endWindows, runOnWindows } from './windows.ts';
import { runWithWinpr, WINPR } from './winpr.ts';

const PROGRAM = 'test/lab/windows/acceptor-program.ts';
const lab = await ensureLab();
const INITIATORS = ['our NTLM', 'SSPI'] as const;
const PACKAGES = ['NTLM', 'Negotiate'] as const;
type Who = 'bob' | 'zoe';

afterAll(endWindows);

describe.skipIf(!lab.available).each(['bob', 'zoe'] as const)('%s', (who) => {
  const { domain, name, password } = LAB.users[who];

  it('is accepted by WinPR, which tells who it is', async () => {
    const outcomes = await meetWinpr(rowsOf(who, password, password));
    const accepted = { done: true, initiator: `${domain}\\${name}`, refused: null };
    expect(outcomes).toMatchObject(Array(4).fill(accepted));
  });

  it('is refused by WinPR when the password is another', async () => {
    const outcomes = await meetWinpr(rowsOf(who, password, 'another'));
    const refused = expect.stringContaining('CompleteAuthToken: 0x8009030f');
    expect(outcomes).toMatchObject(Array(4).fill({ done: false, refused }));
  });

  it('is accepted by Wine, which asks the domain, and refused with a wrong password', async () => {
    const outcomes = await meetWine([
      ...rowsOf(who, password, null),
      ...rowsOf(who, 'wrong', null),
    ]);
    const refused = expect.stringContaining('AcceptSecurityContext: 0x80090');
    expect(outcomes).toMatchObject([
      ...Array(4).fill({ done: true, refused: null }),
      ...Array(4).fill({ done: false, refused }),
    ]);
  });
});

describe.skipIf(!lab.available)('Kerberos', () => {
  it('is accepted by Wine, which proves itself', async () => {
    const row = {
      initiator: 'SSPI',
      package: 'Kerberos',
      credentials: null,
      accepted: null,
    } as const;
    const outcomes = await meetWine([row]);
    expect(outcomes).toMatchObject([{ done: true, refused: null, serverProved: true }]);
  });
});

/** Each initiator with each package. */
function rowsOf(who: Who, password: string, accepted: string | null): AcceptorRow[] {
  const { name: user, domain } = LAB.users[who];
  const credentials = { user, domain, password };
  return INITIATORS.flatMap((initiator) =>
    PACKAGES.map((name) => ({ initiator, package: name, credentials, accepted })),
  );
}

async function meetWinpr(rows: readonly AcceptorRow[]): Promise<AcceptorOutcome[]> {
  const input = JSON.stringify({ library: WINPR, rows });
  return outcomesOf<AcceptorOutcome>(await runWithWinpr({ program: PROGRAM, input }));
}

async function meetWine(rows: readonly AcceptorRow[]): Promise<AcceptorOutcome[]> {
  const input = JSON.stringify({ library: 'secur32.dll', rows });
  const env = { KRB5_KTNAME: join(LAB.directory, 'krb/http.keytab') };
  return outcomesOf<AcceptorOutcome>(
    await runOnWindows({ node: '22', program: PROGRAM, input, env }),
  );
}
