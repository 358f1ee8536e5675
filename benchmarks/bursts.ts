// CONNECT through the local proxy of `sallyport run` and through its peers: one alone, and bursts of 50 at once, where
// connections are signed on ahead and where they are not yet. Owns what is held against what, and the targets.
import { setTimeout as wait } from 'node:timers/promises';
import { LAB } from '../test/lab/lab.ts';
import type { Sample } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { LocalProxy } from './local-proxy.ts';
import { startLocalProxy } from './local-proxy.ts';
import type { Peer } from './peers.ts';
import { findPeer, PEERS } from './peers.ts';
import { preparePing } from './ping-contender.ts';
import { rawBurst, rawConnect } from './raw-connect.ts';
import type { Relays } from './relays.ts';
import type { RunProxy } from './run-proxy.ts';
import { startRunProxy } from './run-proxy.ts';
import type { Entry, Scenery } from './scenery.ts';
import { sceneryOf } from './scenery.ts';
import { median } from './statistics.ts';

export interface BurstsInput {
  /** In milliseconds; 0 goes to the proxy directly, without a relay. */
  readonly rttMs: number;
  readonly relays: Relays;
  readonly scratch: string;
  readonly dist: URL;
}

const BURST = 50;
/** Of one sample of CONNECTs one after the other; so far apart that the next connection is at hand again. */
const SINGLES = 15;
const APART_MS = 250;
/** From a first burst to the second: time to sign on ahead, and well within 10 s. */
const BETWEEN_MS = 4000;

const { proxies, origins, users } = LAB;
const TARGET = new URL(origins.http).host;

/** Everything starts anew for each sample: what is at hand depends on what was asked for before. */
export async function prepareBursts(input: BurstsInput): Promise<Scenery> {
  const { rttMs, relays } = input;
  const { port } = proxies.ntlm;
  const relay = rttMs === 0 ? null : await relays.open({ host: '127.0.0.1', port }, rttMs);
  const proxy = `127.0.0.1:${relay?.port ?? port}`;
  const ping = rttMs === 0 ? null : await preparePing(relays, rttMs);
  const [cntlm] = PEERS;
  const entries =
    rttMs === 0
      ? nearEntries(proxy, input, cntlm)
      : [
          ...(ping === null ? [] : [{ name: 'rtt', contender: ping.contender }]),
          ...farEntries(proxy, input, cntlm),
        ];
  return sceneryOf(entries, `bursts-${rttMs}`, ping ?? undefined);
}

function farEntries(proxy: string, input: BurstsInput, peer: Peer | undefined): Entry[] {
  const ours = (how: (url: string) => Promise<number>) => () => withRun(proxy, input, how);
  const theirs = (how: (url: string) => Promise<number>) => () => withPeer(proxy, input, peer, how);
  return [
    { name: 'one-cntlm', contender: { title: 'CONNECT by cntlm', measure: theirs(singles) } },
    {
      ...{ name: 'one-warm', against: 'rtt', maxRatio: 1.2 },
      contender: { title: 'CONNECT by run, signed on ahead', measure: ours(singles) },
    },
    {
      name: 'first-cntlm',
      contender: { title: `first ${BURST} at once by cntlm`, measure: theirs(firstBurst) },
    },
    {
      ...{ name: 'first-run', against: 'first-cntlm', maxRatio: 1.1 },
      contender: { title: `first ${BURST} at once by run`, measure: ours(firstBurst) },
    },
    {
      ...{ name: 'second-run', against: 'rtt', maxRatio: 1.5 },
      contender: { title: `second ${BURST} at once by run`, measure: ours(secondBurst) },
    },
  ];
}

function nearEntries(proxy: string, input: BurstsInput, peer: Peer | undefined): Entry[] {
  const ours = (how: (url: string) => Promise<number>, flags: readonly string[]) => () =>
    withRun(proxy, input, how, flags);
  return [
    {
      name: 'one-cntlm',
      contender: {
        title: 'CONNECT by cntlm',
        measure: () => withPeer(proxy, input, peer, singles),
      },
    },
    {
      ...{ name: 'one-cold', against: 'one-cntlm', maxRatio: 1 },
      contender: { title: 'CONNECT by run --warm 0', measure: ours(singles, ['--warm', '0']) },
    },
    {
      ...{ name: 'one-warm', against: 'one-cntlm', maxRatio: 0.15 },
      contender: { title: 'CONNECT by run, signed on ahead', measure: ours(singles, []) },
    },
    {
      ...{ name: 'one-direct', against: 'one-cntlm' },
      contender: {
        title: 'CONNECT to a squid without sign-on, no local proxy',
        measure: async () => sampleOf(await singles(`http://127.0.0.1:${proxies.open.port}`)),
      },
    },
  ];
}

/** The median of some, one after the other, behind two that make the proxy known and the demand. */
async function singles(url: string): Promise<number> {
  await rawConnect(url, TARGET);
  await rawConnect(url, TARGET);
  const times: number[] = [];
  for (let at = 0; at < SINGLES; at += 1) {
    await wait(APART_MS);
    times.push(await rawConnect(url, TARGET));
  }
  return median(times);
}

/** Behind one that makes the proxy known. */
async function firstBurst(url: string): Promise<number> {
  await rawConnect(url, TARGET);
  await wait(APART_MS);
  return median(await rawBurst(url, TARGET, BURST));
}

async function secondBurst(url: string): Promise<number> {
  await rawBurst(url, TARGET, BURST);
  await wait(BETWEEN_MS);
  return median(await rawBurst(url, TARGET, BURST));
}

async function withRun(
  proxy: string,
  { dist, scratch }: BurstsInput,
  how: (url: string) => Promise<number>,
  flags: readonly string[] = [],
): Promise<Sample> {
  const task = { proxy: `http://${proxy}`, user: users.alice, dist, scratch, flags };
  await using run: RunProxy = await startRunProxy(task);
  return sampleOf(await how(run.url));
}

/** @throws Error when it is not on this machine: then its row is skipped */
async function withPeer(
  proxy: string,
  { scratch }: BurstsInput,
  peer: Peer | undefined,
  how: (url: string) => Promise<number>,
): Promise<Sample> {
  if (peer === undefined) {
    throw new Error('There is no peer');
  }
  const program = await findPeer(peer);
  await using running: LocalProxy = await startLocalProxy((port) =>
    peer.command(program, { folder: scratch, proxy, user: users.alice, port }),
  );
  return sampleOf(await how(running.url));
}
