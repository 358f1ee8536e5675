// Every NTLM initiator against every NTLM acceptor, in one process with WinPR and gss-ntlmssp loaded side by side; a line
// of JSON for each pair. NTLM_USER_FILE holds alice's password for gss-ntlmssp.
import { json } from 'node:stream/consumers';
import { parseIdentity } from '../../../src/auth/credentials.ts';
import { NtlmSession } from '../../../src/auth/ntlm-session.ts';
import { loadGssapi } from '../../../src/native/gssapi.ts';
import type { ContextRequest } from '../../../src/native/security-context.ts';
import { loadSspi } from '../../../src/native/sspi.ts';
import { ntHash } from '../../../src/ntlm/ntlmv2.ts';
import { Secret } from '../../../src/observe/secret.ts';
import { NtlmAcceptor } from '../../../src/testing/acceptors/ntlm-acceptor.ts';
import { Accounts } from '../../../src/testing/accounts.ts';
import { GssapiAcceptor } from '../../acceptors/gssapi-acceptor.ts';
import { SspiAcceptor } from '../../acceptors/sspi-acceptor.ts';

export interface MatrixOrder {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
}

export interface MatrixOutcome {
  readonly initiator: string;
  readonly acceptor: string;
  /** As the acceptor names it; else what went wrong. */
  readonly accepted: string | null;
}

interface Initiator extends Disposable {
  step(token: Uint8Array | null): Promise<Uint8Array | null>;
}
interface Answer {
  readonly token: Uint8Array | null;
  readonly done: boolean;
  readonly initiator: string | null;
}
interface Acceptor {
  accept(token: Uint8Array): Answer | Promise<Answer>;
}

const WINPR = 'libwinpr2.so.2';
const MIT = 'libgssapi_krb5.so.2';
const SPN = 'HTTP/proxy.corp.example';

void main();

async function main(): Promise<void> {
  const order = (await json(process.stdin)) as MatrixOrder;
  for (const [initiator, start] of Object.entries(initiatorsFor(order))) {
    for (const [acceptor, open] of Object.entries(acceptorsFor(order))) {
      const accepted = await meet(start(), await open()).catch(String);
      process.stdout.write(`${JSON.stringify({ initiator, acceptor, accepted })}\n`);
    }
  }
}

async function meet(initiator: Initiator, acceptor: Acceptor): Promise<string | null> {
  using side = initiator;
  let token = await side.step(null);
  while (token !== null) {
    const answer = await acceptor.accept(token);
    if (answer.done) {
      return answer.initiator;
    }
    token = answer.token === null ? null : await side.step(answer.token);
  }
  return 'nothing more to say';
}

function initiatorsFor({ user, domain, password }: MatrixOrder): Record<string, () => Initiator> {
  const identity = parseIdentity(`${domain}\\${user}`, new Secret(password));
  const request: ContextRequest = {
    ...{ package: 'ntlm', spn: SPN, credentials: null, channelBindings: null },
    ...{ allowNtlm: true, mutual: false, delegate: false },
  };
  return {
    'our NTLM': () => new NtlmSession('NTLM', { identity, spn: SPN, channelBindings: null }),
    WinPR: () =>
      loadSspi(WINPR).createContext({ ...request, credentials: { user, domain, password } }),
    'gss-ntlmssp': () => loadGssapi({ library: MIT }).createContext(request),
  };
}

function acceptorsFor({
  user,
  domain,
  password,
}: MatrixOrder): Record<string, () => Promise<Acceptor>> {
  return {
    ours: async () => ownAcceptor(await Accounts.of([{ name: user, domain, password }])),
    WinPR: async () => new SspiAcceptor(WINPR, 'NTLM', await ntHash(password)),
    'gss-ntlmssp': async () => new GssapiAcceptor(MIT, null),
  };
}

function ownAcceptor(accounts: Accounts): Acceptor {
  const acceptor = new NtlmAcceptor({
    ...{ accounts, strict: false, spns: [SPN] },
    ...{ channelBinding: null, requireChannelBinding: false },
  });
  return {
    accept: (token) => {
      const step = acceptor.step(Buffer.from(token));
      if (step.kind === 'refused') {
        throw new Error(step.reason);
      }
      const initiator = step.kind === 'accepted' ? step.account.id : null;
      return { token: step.token, done: step.kind === 'accepted', initiator };
    },
  };
}
