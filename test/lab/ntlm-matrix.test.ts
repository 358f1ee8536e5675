// Three NTLMs judge each other, in process: ours, FreeRDP's WinPR through the product's SSPI binding, and gss-ntlmssp
// through its GSSAPI binding, each as initiator and as acceptor.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { outcomesOf } from './json-lines.ts';
import { ensureLab, LAB } from './lab.ts';
import type { MatrixOutcome } from './windows/ntlm-matrix-program.ts';
import { runWithWinpr } from './winpr.ts';

const PROGRAM = 'test/lab/windows/ntlm-matrix-program.ts';
const lab = await ensureLab();
const INITIATORS = ['our NTLM', 'WinPR', 'gss-ntlmssp'];
const ACCEPTORS = ['ours', 'WinPR', 'gss-ntlmssp'];
/** Neither side of these is the product's: what the two libraries make of each other, and of MS-NLMP. */
const STRANGERS: Readonly<Record<string, unknown>> = {
  // WinPR 2.11's MIC is not that of MS-NLMP 3.1.5.1.2 where no key exchange is granted, as ours never does.
  'WinPR > ours': 'Error: mic',
  // gss-ntlmssp 1.2 does not take WinPR's challenge.
  'gss-ntlmssp > WinPR': expect.stringContaining('Invalid combinations of negotiate flags'),
};
const { name: user, domain, password, typed } = LAB.users.alice;

async function matrix(given: string): Promise<MatrixOutcome[]> {
  const input = JSON.stringify({ user, domain, password: given });
  const env = { NTLM_USER_FILE: join(LAB.directory, 'krb/ntlm_user_file') };
  return outcomesOf<MatrixOutcome>(await runWithWinpr({ program: PROGRAM, input, env }));
}

describe.skipIf(!lab.available)('NTLM', () => {
  it('of every initiator is accepted by every acceptor, under the right name, but for two pairs', async () => {
    expect(await matrix(password)).toEqual(
      INITIATORS.flatMap((initiator) =>
        ACCEPTORS.map((acceptor) => ({
          initiator,
          acceptor,
          accepted: STRANGERS[`${initiator} > ${acceptor}`] ?? typed,
        })),
      ),
    );
  });

  it('with another password is accepted by none that knows the right one', async () => {
    const outcomes = await matrix('another');
    const wrong = outcomes.filter(
      ({ initiator, acceptor }) => (initiator === 'gss-ntlmssp') !== (acceptor === 'gss-ntlmssp'),
    );
    expect(wrong).toHaveLength(4);
    expect(wrong.filter(({ accepted }) => accepted === typed)).toEqual([]);
  });
});
