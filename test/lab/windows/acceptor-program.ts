// Sign-ons without a network: our NTLM and an SSPI's initiator against that SSPI's acceptor, as told on standard input; a
// line of JSON for each. Runs on Windows Node under Wine and, with WinPR, on this machine's.
import { json } from 'node:stream/consumers';
import { parseIdentity } from '../../../src/auth/credentials.ts';
import { NtlmSession } from '../../../src/auth/ntlm-session.ts';
import type { ContextRequest, ExplicitCredentials } from '../../../src/native/security-context.ts';
import { loadSspi } from '../../../src/native/sspi.ts';
import { ntHash } from '../../../src/ntlm/ntlmv2.ts';
import { Secret } from '../../../src/observe/secret.ts';
import { SspiAcceptor } from '../../acceptors/sspi-acceptor.ts';

export interface AcceptorOrder {
  readonly library: string;
  readonly rows: readonly AcceptorRow[];
}

export interface AcceptorRow {
  readonly initiator: 'our NTLM' | 'SSPI';
  readonly package: 'NTLM' | 'Negotiate' | 'Kerberos';
  /** `null` for the signed-in user. */
  readonly credentials: ExplicitCredentials | null;
  /** The password WinPR's acceptor goes by; `null` for Wine's, which asks the domain. */
  readonly accepted: string | null;
}

export interface AcceptorOutcome {
  readonly done: boolean;
  readonly initiator: string | null;
  /** What the acceptor said no with. */
  readonly refused: string | null;
  /** Whether the acceptor has proved itself. */
  readonly serverProved: boolean;
}

/** What our sessions and those of the library have in common. */
interface Initiator extends Disposable {
  readonly serverProved?: boolean;
  step(token: Uint8Array | null): Promise<Uint8Array | null>;
}

const PACKAGES: Readonly<Record<AcceptorRow['package'], ContextRequest['package']>> = {
  NTLM: 'ntlm',
  Negotiate: 'negotiate',
  Kerberos: 'kerberos',
};

void main();

async function main(): Promise<void> {
  const { library, rows } = (await json(process.stdin)) as AcceptorOrder;
  for (const row of rows) {
    process.stdout.write(`${JSON.stringify(await meet(library, row))}\n`);
  }
}

async function meet(library: string, row: AcceptorRow): Promise<AcceptorOutcome> {
  const hash = row.accepted === null ? null : await ntHash(row.accepted);
  const initiator = createInitiator(library, row);
  const acceptor = new SspiAcceptor(library, row.package, hash);
  const outcome = { done: false, initiator: null, refused: null, serverProved: false };
  try {
    let token = await initiator.step(null);
    while (token !== null) {
      const answer = await acceptor.accept(token);
      token = answer.token === null ? null : await initiator.step(answer.token);
      if (answer.done) {
        const { serverProved = false } = initiator;
        return { ...outcome, done: true, initiator: answer.initiator, serverProved };
      }
    }
    return outcome;
  } catch (error) {
    return { ...outcome, refused: String(error) };
  } finally {
    acceptor[Symbol.dispose]();
    initiator[Symbol.dispose]();
  }
}

function createInitiator(
  library: string,
  { package: name, credentials, ...row }: AcceptorRow,
): Initiator {
  const spn = 'HTTP/proxy.corp.example';
  if (row.initiator === 'our NTLM' && credentials !== null) {
    const { user, domain, password } = credentials;
    const identity = parseIdentity(`${domain}\\${user}`, new Secret(password));
    return new NtlmSession('NTLM', { identity, spn, channelBindings: null });
  }
  return loadSspi(library).createContext({
    package: PACKAGES[name],
    spn,
    credentials,
    channelBindings: null,
    allowNtlm: true,
    mutual: name === 'Kerberos',
    delegate: false,
  });
}
