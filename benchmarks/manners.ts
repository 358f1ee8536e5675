// What bursts of ours do to somebody else: curl of another user at a squid with three authenticators, alone and beside them.
import type { Upstream } from 'sallyport';
import { createUpstream } from 'sallyport';
import { LAB } from '../test/lab/lab.ts';
import type { Sample } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { CurlContender } from './curl-contender.ts';
import { curlContender } from './curl-contender.ts';
import type { Scenery } from './scenery.ts';
import { sceneryOf } from './scenery.ts';
import { median } from './statistics.ts';

export interface MannersInput {
  /** A folder of this run. */
  readonly scratch: string;
  /** Tunnels of one sample. */
  readonly tunnels: number;
}

const { proxies, origins, users, files } = LAB;
const PROXY = `http://127.0.0.1:${proxies.ntlmFew.port}`;
const TARGET = new URL(origins.http).host;
const BURST = 50;
/** What a program does between two bursts. */
const PAUSE_MS = 250;
const ALONE = 10;
/** The other user may wait for one of ours, not for all of them. */
const MAX_RATIO = 2;

export async function prepareManners(input: MannersInput): Promise<Scenery> {
  const { typed: user, password } = users.alice;
  const options = { proxy: PROXY, user, password, auth: 'ntlm', env: { HOME: input.scratch } };
  const upstream = await createUpstream(options);
  const ahead = await createUpstream({ ...options, warm: 32 });
  const beside =
    (pauseMs: number, client = upstream) =>
    () =>
      besideBursts(client, input.tunnels, pauseMs);
  return sceneryOf(
    [
      { name: 'alone', contender: { title: 'curl of another user, alone', measure: alone } },
      {
        ...{ name: 'bursts', against: 'alone', maxRatio: MAX_RATIO },
        contender: {
          title: `beside tunnels in bursts of ${BURST}, ${PAUSE_MS} ms apart`,
          measure: beside(PAUSE_MS),
        },
      },
      {
        ...{ name: 'endless', against: 'alone', maxRatio: MAX_RATIO },
        contender: {
          title: `beside tunnels in bursts of ${BURST}, one at the heels of the other`,
          measure: beside(0),
        },
      },
      {
        ...{ name: 'ahead', against: 'alone', maxRatio: MAX_RATIO },
        contender: {
          title: `beside tunnels in bursts of ${BURST}, ${PAUSE_MS} ms apart, some signed on ahead`,
          measure: beside(PAUSE_MS, ahead),
        },
      },
    ],
    'manners',
    {
      [Symbol.asyncDispose]: async () => {
        await upstream.close();
        await ahead.close();
      },
    },
  );
}

const BOB: CurlContender = {
  title: '',
  proxy: PROXY,
  relay: null,
  auth: 'proxy-ntlm',
  user: users.bob,
  url: `${origins.http}/${files.small.name}`,
};

async function alone(): Promise<Sample> {
  let left = ALONE;
  return curlsWhile(() => left-- > 0);
}

/** A curl that fails ends the run, as a tunnel of ours does. */
async function besideBursts(upstream: Upstream, tunnels: number, pauseMs: number): Promise<Sample> {
  let isOver = false;
  const curls = curlsWhile(() => !isOver);
  try {
    for (let opened = 0; opened < tunnels; opened += BURST) {
      await Promise.all(Array.from({ length: BURST }, () => openOne(upstream)));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  } finally {
    isOver = true;
  }
  return curls;
}

async function openOne(upstream: Upstream): Promise<void> {
  const socket = await upstream.openTunnel(TARGET);
  socket.destroy();
}

/** The median of a loop. */
async function curlsWhile(goesOn: () => boolean): Promise<Sample> {
  const { measure } = curlContender(BOB);
  const times: number[] = [];
  while (goesOn()) {
    times.push((await measure()).value);
  }
  return sampleOf(median(times));
}
