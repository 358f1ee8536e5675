// Small GETs of 16 clients at once through a local proxy: how many a second, and how many sign-ons they cost. Owns who is held
// against whom, and the targets.
import { proxyLog } from '../test/lab/access-log.ts';
import { LAB } from '../test/lab/lab.ts';
import { sampleOf } from './contender.ts';
import type { LoadInput, Way } from './local-party.ts';
import { LocalParty } from './local-party.ts';
import type { Entry, Scenery } from './scenery.ts';
import { sceneryOf } from './scenery.ts';

export interface LocalRequestsInput extends LoadInput {
  /** Of one sample. */
  readonly ms: number;
}

const CLIENTS = 16;
const MIN_OF_DIRECT = 0.6;
const MAX_SIGN_ONS_IN_1000 = 20;
const URL_OF_FILE = `${LAB.origins.http.replace('origin.corp.example', '127.0.0.12')}/${LAB.files.small.name}`;

export async function prepareLocalRequests(input: LocalRequestsInput): Promise<Scenery> {
  const party = new LocalParty(input);
  const by = (title: string, way: () => Promise<Way>) => ({
    title,
    measure: async () => sampleOf(await gets(party, await way(), input.ms)),
  });
  const entries: Entry[] = [
    { name: 'direct', contender: by('no local proxy, no sign-on', () => party.direct()) },
    {
      ...{ name: 'run', against: 'direct', minRatio: MIN_OF_DIRECT },
      contender: by('by run, NTLM', () => party.run()),
    },
    {
      ...{ name: 'cntlm', against: 'direct' },
      contender: by('by cntlm, NTLM', () => party.cntlm()),
    },
    {
      ...{ name: 'http', against: 'direct' },
      contender: by('by a plain forwarder of Node’s http, no sign-on', () => party.plain('http')),
    },
    {
      ...{ name: 'raw', against: 'direct' },
      contender: by('by one that hands bytes on, no sign-on', () => party.plain('raw')),
    },
  ];
  const claim = {
    title: `${MAX_SIGN_ONS_IN_1000} sign-ons of run at most in 1,000 requests`,
    isTrue: async () => (await signOnsIn1000(party, input.ms)) <= MAX_SIGN_ONS_IN_1000,
  };
  return { ...sceneryOf(entries, 'requests', party), claims: [claim] };
}

function gets({ children }: LocalParty, { url: proxy }: Way, ms: number): Promise<number> {
  return children.load({ do: 'gets', proxy, url: URL_OF_FILE, clients: CLIENTS, ms });
}

/** As the proxy saw them: a 407 is a leg of one. */
async function signOnsIn1000(party: LocalParty, ms: number): Promise<number> {
  const mark = await proxyLog('ntlm').mark();
  await gets(party, await party.run(), ms);
  const entries = await mark.entries();
  const answered = entries.filter(({ status }) => status === 200).length;
  const refused = entries.filter(({ status }) => status === 407).length;
  if (answered === 0) {
    throw new Error('the log has no request');
  }
  return (refused * 1000) / answered;
}
