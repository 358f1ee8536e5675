// What the soak does, one operation at a time: which kinds there are, how often, and what each may come to. Anything else is
// a failure of the run. Owns this table; the proxies are `plan.ts`.
import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { originBytes } from 'sallyport/testing';
import { isSallyportError } from '../../src/errors/sallyport-error.ts';
import type { RequestOptions } from '../../src/upstream/wire-request.ts';
import type { Clients } from './clients.ts';
import { expectBytes, expectDigest } from './content.ts';
import { getThrough } from './get-through.ts';
import type { ProxyName } from './plan.ts';
import { namesOf, planOf } from './plan.ts';
import type { Random } from './random.ts';
import type { StagePlaces } from './stage-process.ts';
import type { Tally } from './tally.ts';

export interface World {
  readonly clients: Clients;
  readonly places: StagePlaces;
  readonly tally: Tally;
}

/** @returns what it came to, in a word or as an error code */
type Operation = (world: World, random: Random) => Promise<string>;

const OPERATIONS = {
  'forward a page': forwardPage,
  'forward an upload': forwardUpload,
  'tunnel, closed by either side': openAndClose,
  'https page': fetchInside,
  'client for one request': useOnce,
  'web server asks, too': signOnTwice,
  'sign-on cut by the proxy': beCut,
  'wrong password': beRefused,
  'aborted at random': abortAtRandom,
  'body given up': giveUpBody,
  'network breaks': sufferNetwork,
  'twenty at once, half aborted': burst,
} as const satisfies Record<string, Operation>;

export type Kind = keyof typeof OPERATIONS;

/** Of 100 operations so many are of this kind. */
const SHARES: Readonly<Record<Kind, number>> = {
  'forward a page': 12,
  'forward an upload': 6,
  'tunnel, closed by either side': 26,
  'https page': 3,
  'client for one request': 4,
  'web server asks, too': 2,
  'sign-on cut by the proxy': 9,
  'wrong password': 4,
  'aborted at random': 13,
  'body given up': 6,
  'network breaks': 14,
  'twenty at once, half aborted': 1,
};

/** What a network that breaks may end a request with, besides success. */
const BREAKS = new Set([
  ...['CONNECTION_LOST', 'HANDSHAKE_CUT', 'BODY_INCOMPLETE', 'PROXY_UNREACHABLE'],
  ...['BODY_NOT_REPLAYABLE', 'TLS_FAILED', 'tunnel broke'],
]);

const CALM = namesOf('calm');
/** Who is told to use Basic alone answers no web server with NTLM. */
const CALM_NTLM = namesOf('calm', ({ client }) => client.auth !== 'basic');
const CUTTING = namesOf('cutting');
const REFUSING = namesOf('refusing');
const WILD = namesOf('wild');
const SHAKY = namesOf('shaky');
const MAX_BYTES = 60_000;
/** Longer than any operation lasts. */
const NEVER_MS = 600_000;

const KINDS: readonly Kind[] = Object.keys(OPERATIONS) as Kind[];

export function drawKind(random: Random): Kind {
  let left = random.next() * 100;
  const found = KINDS.find((kind) => {
    left -= SHARES[kind];
    return left < 0;
  });
  return found ?? 'forward a page';
}

/** @throws Error when it comes to what it must not come to */
export function perform(kind: Kind, world: World, random: Random): Promise<string> {
  return OPERATIONS[kind](world, random);
}

/** Proves each password once, as a program does with its first request. */
export async function makeAcquainted(world: World, random: Random): Promise<void> {
  for (const name of CALM) {
    await forwardFrom(world, random, name, world.clients.to(name));
  }
}

function forwardPage(world: World, random: Random): Promise<string> {
  const name = random.pick(CALM);
  return forwardFrom(world, random, name, world.clients.to(name));
}

async function forwardFrom(
  { places, tally, clients }: World,
  random: Random,
  name: ProxyName,
  client: ReturnType<Clients['to']>,
): Promise<string> {
  tally.of(name).begun += 1;
  const length = random.between(0, MAX_BYTES);
  const page = random.pick(['bytes', 'chunked']);
  const answer = await client.request(`${places.http}/${page}/${length}`, clients);
  tally.told(name, answer);
  expectSignedOn(name, answer);
  await expectBytes(answer.body, length);
  return 'ok';
}

async function forwardUpload({ clients, places, tally }: World, random: Random): Promise<string> {
  const name = random.pick(CALM);
  tally.of(name).begun += 1;
  const { sent, options } = upload(random);
  const url = `${places.http}/echo-sha256`;
  const answer = await clients.to(name).request(url, { ...options, signal: clients.signal });
  tally.told(name, answer);
  expectSignedOn(name, answer);
  await expectDigest(answer.body, sent);
  return 'ok';
}

async function openAndClose({ clients, places, tally }: World, random: Random): Promise<string> {
  const name = random.pick(CALM);
  tally.of(name).begun += 1;
  const answer = await clients.to(name).connect(new URL(places.http).host, clients);
  tally.told(name, answer);
  expectSignedOn(name, answer);
  return getThrough(answer, places.http, random);
}

async function fetchInside({ clients, places, tally }: World, random: Random): Promise<string> {
  const name = random.pick(CALM);
  tally.of(name).begun += 1;
  const length = random.between(0, MAX_BYTES);
  const answer = await clients.to(name).request(`${places.https}/bytes/${length}`, clients);
  tally.told(name, answer);
  expectSignedOn(name, answer);
  await expectBytes(answer.body, length);
  return 'ok';
}

async function useOnce(world: World, random: Random): Promise<string> {
  const name = random.pick(CALM);
  await using client = await world.clients.fresh(name);
  return await forwardFrom(world, random, name, client);
}

async function signOnTwice({ clients, places, tally }: World, random: Random): Promise<string> {
  const name = random.pick(CALM_NTLM);
  tally.of(name).begun += 1;
  const length = random.between(0, MAX_BYTES);
  // Not every proxy lets NTLM of a web server pass when it forwards; a tunnel always does.
  const answer = await clients.to(name).request(`${places.https}/ntlm/bytes/${length}`, clients);
  tally.told(name, answer);
  expectSignedOn(name, answer);
  await expectBytes(answer.body, length);
  return 'ok';
}

async function beCut({ clients, places, tally }: World, random: Random): Promise<string> {
  const name = random.pick(CUTTING);
  tally.of(name).begun += 1;
  const client = clients.to(name);
  const work = random.chance(0.5)
    ? client.openTunnel(new URL(places.http).host, clients)
    : client.request(`${places.http}/bytes/10`, clients);
  return expectCode(work, 'HANDSHAKE_CUT');
}

async function beRefused({ clients, places, tally }: World, random: Random): Promise<string> {
  const name = random.pick(REFUSING);
  tally.of(name).begun += 1;
  const client = clients.to(name);
  const work = random.chance(0.5)
    ? client.openTunnel(new URL(places.http).host, clients)
    : client.request(`${places.http}/bytes/10`, clients);
  return expectCode(work, 'CREDENTIALS_REFUSED');
}

async function abortAtRandom({ clients, places, tally }: World, random: Random): Promise<string> {
  const name = random.pick(WILD);
  tally.of(name).begun += 1;
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error('given up');
  // On a busy machine everything takes longer than 40 ms: some are let go to their end all the same.
  const afterMs = random.chance(0.3) ? NEVER_MS : 40 * random.next() ** 2;
  const timer = setTimeout(() => controller.abort(reason), afterMs);
  const client = clients.to(name);
  try {
    if (random.chance(0.4)) {
      const answer = await client.connect(new URL(places.http).host, { signal });
      return await getThrough(answer, places.http, random);
    }
    if (random.chance(0.3)) {
      const { sent, options } = upload(random);
      const answer = await client.request(`${places.http}/echo-sha256`, { ...options, signal });
      await expectDigest(answer.body, sent);
      return 'ok';
    }
    const length = random.between(0, 4 * MAX_BYTES);
    const origin = random.chance(0.2) ? places.https : places.http;
    const answer = await client.request(`${origin}/bytes/${length}`, { signal });
    await expectBytes(answer.body, length);
    return 'ok';
  } catch (error) {
    if (error !== reason) {
      throw error;
    }
    tally.of(name).broken += 1;
    return 'aborted';
  } finally {
    clearTimeout(timer);
    await expectNoListeners(signal);
  }
}

async function giveUpBody({ clients, places, tally }: World, random: Random): Promise<string> {
  const name = random.pick(WILD);
  tally.of(name).begun += 1;
  tally.of(name).broken += 1;
  const origin = random.chance(0.2) ? places.https : places.http;
  const length = random.between(MAX_BYTES, 8 * MAX_BYTES);
  const { body } = await clients.to(name).request(`${origin}/bytes/${length}`, clients);
  if (random.chance(0.7)) {
    for await (const _ of body) {
      // Leaving the loop destroys the body.
      break;
    }
  }
  body.destroy();
  return 'given up';
}

async function sufferNetwork({ clients, places, tally }: World, random: Random): Promise<string> {
  const name = random.pick(SHAKY);
  tally.of(name).begun += 1;
  const client = clients.to(name);
  try {
    if (random.chance(0.4)) {
      const answer = await client.connect(new URL(places.http).host, clients);
      return await getThrough(answer, places.http, random);
    }
    if (random.chance(0.3)) {
      const { sent, options } = upload(random);
      const url = `${places.http}/echo-sha256`;
      const answer = await client.request(url, { ...options, signal: clients.signal });
      await expectDigest(answer.body, sent);
      return 'ok';
    }
    const length = random.between(0, MAX_BYTES);
    const origin = random.chance(0.1) ? places.https : places.http;
    const answer = await client.request(`${origin}/bytes/${length}`, clients);
    await expectBytes(answer.body, length);
    return 'ok';
  } catch (error) {
    const code = isSallyportError(error) ? error.code : String(error);
    if (!BREAKS.has(code)) {
      throw error;
    }
    tally.of(name).broken += 1;
    return code;
  }
}

/** More than the proxy has authenticators: some wait, and some of those give up. */
async function burst({ clients, places, tally }: World, random: Random): Promise<string> {
  const controller = new AbortController();
  const reason = new Error('given up');
  const timer = setTimeout(() => controller.abort(reason), random.next() * 20);
  const name: ProxyName = 'wild-ntlm';
  const host = new URL(places.http).host;
  const works = Array.from({ length: 20 }, async (_, index) => {
    const { signal } = index % 2 === 0 ? clients : controller;
    tally.of(name).begun += 1;
    try {
      (await clients.to(name).openTunnel(host, { signal })).destroy();
    } catch (error) {
      if (error !== reason || index % 2 === 0) {
        throw error;
      }
      tally.of(name).broken += 1;
    }
  });
  await Promise.all(works).finally(() => clearTimeout(timer));
  await expectNoListeners(controller.signal);
  return 'ok';
}

function upload(random: Random): { sent: Buffer; options: RequestOptions } {
  const sent = originBytes(random.between(0, MAX_BYTES));
  const open = (): Readable => Readable.from([sent.subarray(0, 99), sent.subarray(99)]);
  const form = random.between(1, 3);
  const once = form === 1 ? sent : open();
  return { sent, options: { method: 'PUT', body: form === 3 ? open : once } };
}

function expectSignedOn(
  name: ProxyName,
  answer: { status: number; scheme: string | null; identity: string | null },
): void {
  const { client, proxy } = planOf(name);
  const { status, scheme, identity } = answer;
  const isRight = status === 200 && scheme === proxy.schemes[0] && identity === client.user;
  if (!isRight) {
    throw new Error(`${name} answered ${status}, signed on with ${scheme} as ${identity}`);
  }
}

async function expectCode(work: Promise<unknown>, code: string): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isSallyportError(error) && error.code === code) {
      return code;
    }
    throw error;
  }
  throw new Error(`it went through instead of ${code}`);
}

/** A signal of the caller's may outlive the request. */
async function expectNoListeners(signal: AbortSignal): Promise<void> {
  for (let turns = 0; getEventListeners(signal, 'abort').length > 0; turns += 1) {
    if (turns > 200) {
      throw new Error('a listener is left on the signal of an operation that has ended');
    }
    await (turns < 100 ? turn() : pause(5));
  }
}
