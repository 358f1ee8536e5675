// The contenders of one distance: the ways into a tunnel through the lab's squids. Owns who is compared with whom, and
// the targets.
import type { SallyportOptions } from 'sallyport';
import { LAB } from '../test/lab/lab.ts';
import type { Measurable } from './contender.ts';
import type { CurlContender } from './curl-contender.ts';
import { curlContender } from './curl-contender.ts';
import type { GroupMember } from './peer-group.ts';
import { PeerGroup } from './peer-group.ts';
import type { Relay, Relays } from './relays.ts';
import type { SallyportContender } from './sallyport-contenders.ts';
import { acquaintedContender, strangerContender } from './sallyport-contenders.ts';
import type { Entry, Scenery } from './scenery.ts';
import { sceneryOf, withoutTarget } from './scenery.ts';

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
  const line = await lineTo(input, proxies.ntlm.port);
  const peers = new PeerGroup(new URL(line.url).host, scratch);
  const entries: readonly Entry[] = [
    { name: 'open', contender: acquaintedContender(ours('no sign-on', open, input, null, {})) },
    ...kerberosEntries(await lineTo(input, proxies.kerberos.port), input),
    ...ntlmEntries(await lineTo(input, proxies.ntlm.port), input),
    ...digestEntries(await lineTo(input, proxies.digest.port), input),
    ...peers.members.map((member) => peerEntry(member, line, input)),
  ];
  // Without distance the times are those of two schedulers: shown, not judged.
  const shown = rttMs === 0 ? entries.map(withoutTarget) : entries;
  return sceneryOf(shown, String(rttMs), peers);
}

function kerberosEntries(line: Line, input: DistanceInput): Entry[] {
  const ticket = { spn: `HTTP/${proxies.kerberos.host}`, auth: 'negotiate' };
  const known = ours('Kerberos, ticket cached, proxy known', line, input, 'Negotiate', ticket);
  const strange = ours('Kerberos, ticket cached, proxy new', line, input, 'Negotiate', ticket);
  const curl = { auth: 'proxy-negotiate', user: null } as const;
  return [
    {
      ...{ name: 'curl-ticket', against: 'open' },
      contender: peer('Kerberos by curl (--proxy-negotiate)', line, curl),
    },
    {
      ...{ name: 'ticket', against: 'open', maxRatio: MAX_KERBEROS_RATIO },
      contender: acquaintedContender(known),
    },
    { name: 'ticket-new', against: 'open', contender: strangerContender(strange) },
  ];
}

function ntlmEntries(line: Line, input: DistanceInput): Entry[] {
  const user = users.alice;
  const alice = { user: user.typed, password: user.password };
  const known = ours('NTLM, proxy known', line, input, 'NTLM', alice);
  const told = ours('NTLM, proxy new, told so (auth: ntlm)', line, input, 'NTLM', {
    ...alice,
    auth: 'ntlm',
  });
  const strange = ours('NTLM, proxy new', line, input, 'NTLM', alice);
  const target = { maxRatio: MAX_NTLM_RATIO, sameLegs: true };
  return [
    {
      name: 'curl',
      contender: peer('NTLM by curl, told so (--proxy-ntlm)', line, { auth: 'proxy-ntlm', user }),
    },
    { name: 'ntlm', against: 'curl', ...target, contender: acquaintedContender(known) },
    { name: 'ntlm-told', against: 'curl', ...target, contender: strangerContender(told) },
    {
      name: 'curl-any',
      contender: peer('NTLM by curl, asks first (--proxy-anyauth)', line, {
        auth: 'proxy-anyauth',
        user,
      }),
    },
    { name: 'ntlm-new', against: 'curl-any', ...target, contender: strangerContender(strange) },
  ];
}

function digestEntries(line: Line, input: DistanceInput): Entry[] {
  // The password file of that proxy knows no domain.
  const { name: typed, password } = users.alice;
  const alice = { user: typed, password, auth: 'digest' };
  return [
    {
      name: 'curl-digest',
      contender: peer('Digest by curl (--proxy-digest)', line, {
        auth: 'proxy-digest',
        user: { typed, password },
      }),
    },
    {
      ...{ name: 'digest', against: 'curl-digest' },
      contender: acquaintedContender(ours('Digest, proxy known', line, input, 'Digest', alice)),
    },
  ];
}

function ours(
  title: string,
  { url, relay }: Line,
  { scratch }: DistanceInput,
  scheme: string | null,
  options: SallyportOptions,
): SallyportContender {
  const all = { ...options, proxy: url, env: { HOME: scratch } };
  return { title, relay, target: TARGET, scheme, options: all };
}

function peer(
  title: string,
  { url: proxy, relay }: Line,
  how: Pick<CurlContender, 'auth' | 'user'>,
): Measurable {
  return curlContender({ ...how, title, proxy, relay, url: FILE });
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

/** Through a proxy on this machine, which has the distance before it; Sallyport itself signs on to nothing here. */
function peerEntry(
  { name, start }: GroupMember,
  { relay }: Line,
  { scratch }: DistanceInput,
): Entry {
  const title = `NTLM by ${name} on this machine`;
  let through: Measurable | undefined;
  const measure = async () => {
    const { url } = await start();
    through ??= acquaintedContender({
      ...{ title, target: TARGET, scheme: null, relay: null },
      options: { proxy: url, env: { HOME: scratch } },
    });
    // Of a peer before it.
    await relay?.passages();
    const sample = await through.measure();
    const passages = (await relay?.passages()) ?? [];
    return { ...sample, legs: passages.at(-1)?.legs ?? null };
  };
  return { name, against: 'curl', contender: { title, measure } };
}
