// The contenders of one distance: the ways into a tunnel through the lab's squids. Owns who is compared with whom, and
// the targets.
import type { SallyportOptions } from 'sallyport';
import { LAB } from '../test/lab/lab.ts';
import type { Cntlm } from './cntlm-peer.ts';
import { startCntlm } from './cntlm-peer.ts';
import type { Contender } from './contender.ts';
import type { CurlContender } from './curl-contender.ts';
import { curlContender } from './curl-contender.ts';
import type { Relay, Relays } from './relays.ts';
import type { RowPlan } from './report.ts';
import type { SallyportContender } from './sallyport-contenders.ts';
import { acquaintedContender, strangerContender } from './sallyport-contenders.ts';

export interface Scenery extends AsyncDisposable {
  readonly contenders: readonly Contender[];
  /** The rows of the table, in its order. */
  readonly plans: readonly RowPlan[];
}

export interface DistanceInput {
  /** In milliseconds; 0 goes to the proxies directly, without a relay. */
  readonly rttMs: number;
  readonly relays: Relays;
  /** A folder of this run, for what peers need to have in files. */
  readonly scratch: string;
}

/** Of a CONNECT without sign-on. */
const MAX_KERBEROS_RATIO = 1.5;
/** Of curl's time. */
const MAX_NTLM_RATIO = 1.25;

const { proxies, origins, users, files } = LAB;
const TARGET = new URL(origins.http).host;
const FILE = `${origins.http}/${files.small.name}`;

/** The rows of a distance; what peers have running ends with it. */
export async function prepareDistance(input: DistanceInput): Promise<Scenery> {
  const { rttMs, scratch } = input;
  const open = await lineTo(input, proxies.open.port);
  const kerberos = await lineTo(input, proxies.kerberos.port);
  const ntlm = await lineTo(input, proxies.ntlm.port);
  const behindCntlm = await lineTo(input, proxies.ntlm.port);
  const cntlm = cntlmContender(`cntlm-${rttMs}`, behindCntlm, scratch);
  const ours = (
    name: string,
    title: string,
    line: Line,
    scheme: string | null,
    options: SallyportOptions,
  ): SallyportContender => ({
    ...{ id: `${name}-${rttMs}`, title, relay: line.relay, target: TARGET, scheme },
    options: { ...options, proxy: line.url, env: { HOME: scratch } },
  });
  const curl = (
    name: string,
    title: string,
    { url: proxy, relay }: Line,
    how: Pick<CurlContender, 'auth' | 'user'>,
  ): Contender => curlContender({ ...how, id: `${name}-${rttMs}`, title, proxy, relay, url: FILE });
  const ticket = { spn: `HTTP/${proxies.kerberos.host}`, auth: 'negotiate' };
  const alice = { user: users.alice.typed, password: users.alice.password };
  const contenders = [
    acquaintedContender(ours('open', 'no sign-on', open, null, {})),
    curl('curl-ticket', 'Kerberos by curl (--proxy-negotiate)', kerberos, {
      auth: 'proxy-negotiate',
      user: null,
    }),
    acquaintedContender(
      ours('ticket', 'Kerberos, ticket cached, proxy known', kerberos, 'Negotiate', ticket),
    ),
    strangerContender(
      ours('ticket-new', 'Kerberos, ticket cached, proxy new', kerberos, 'Negotiate', ticket),
    ),
    curl('curl', 'NTLM by curl, told so (--proxy-ntlm)', ntlm, {
      auth: 'proxy-ntlm',
      user: users.alice,
    }),
    acquaintedContender(ours('ntlm', 'NTLM, proxy known', ntlm, 'NTLM', alice)),
    strangerContender(
      ours('ntlm-told', 'NTLM, proxy new, told so (auth: ntlm)', ntlm, 'NTLM', {
        ...alice,
        auth: 'ntlm',
      }),
    ),
    curl('curl-any', 'NTLM by curl, asks first (--proxy-anyauth)', ntlm, {
      auth: 'proxy-anyauth',
      user: users.alice,
    }),
    strangerContender(ours('ntlm-new', 'NTLM, proxy new', ntlm, 'NTLM', alice)),
    cntlm.contender,
  ];
  const targets: Readonly<Record<string, Pick<RowPlan, 'against' | 'maxRatio' | 'sameLegs'>>> = {
    ticket: { against: 'open', maxRatio: MAX_KERBEROS_RATIO },
    'curl-ticket': { against: 'open' },
    'ticket-new': { against: 'open' },
    ntlm: { against: 'curl', maxRatio: MAX_NTLM_RATIO, sameLegs: true },
    'ntlm-told': { against: 'curl', maxRatio: MAX_NTLM_RATIO, sameLegs: true },
    'ntlm-new': { against: 'curl-any', maxRatio: MAX_NTLM_RATIO, sameLegs: true },
    cntlm: { against: 'curl' },
  };
  return {
    contenders,
    plans: contenders.map(({ id, title }) => {
      const target = targets[id.slice(0, id.lastIndexOf('-'))] ?? {};
      const { against, maxRatio, sameLegs } = target;
      return {
        ...{ id, title },
        ...(against === undefined ? {} : { against: `${against}-${rttMs}` }),
        // Without distance the times are those of two schedulers: shown, not judged.
        ...(maxRatio === undefined || rttMs === 0 ? {} : { maxRatio }),
        ...(sameLegs === true && rttMs > 0 ? { sameLegs } : {}),
      };
    }),
    [Symbol.asyncDispose]: cntlm.end,
  };
}

interface Line {
  readonly url: string;
  readonly relay: Relay | null;
}

/** By address: nobody's name lookup counts. */
async function lineTo({ rttMs, relays }: DistanceInput, port: number): Promise<Line> {
  if (rttMs === 0) {
    return { url: `http://127.0.0.1:${port}`, relay: null };
  }
  const relay = await relays.open({ host: '127.0.0.1', port }, rttMs);
  return { url: relay.url, relay };
}

/** Through a cntlm on this machine, which has the distance before it; Sallyport itself signs on to nothing here. */
function cntlmContender(id: string, { url, relay }: Line, scratch: string) {
  const title = 'NTLM by cntlm on this machine';
  let cntlm: Cntlm | undefined;
  let through: Contender | undefined;
  const contender: Contender = {
    id,
    title,
    measure: async () => {
      cntlm ??= await startCntlm({ folder: scratch, proxy: new URL(url).host, user: users.alice });
      through ??= acquaintedContender({
        ...{ id, title, target: TARGET, scheme: null, relay: null },
        options: { proxy: cntlm.url, env: { HOME: scratch } },
      });
      const sample = await through.measure();
      const passages = (await relay?.passages()) ?? [];
      return { ...sample, legs: passages.at(-1)?.legs ?? null };
    },
  };
  return { contender, end: async () => cntlm?.[Symbol.asyncDispose]() };
}
