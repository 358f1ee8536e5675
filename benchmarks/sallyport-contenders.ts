// Sallyport as a contender: a warm process, a cold connection each time, until the tunnel stands.
import type { SallyportOptions } from 'sallyport';
import { createUpstream } from 'sallyport';
import type { Measurable, Sample } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { Relay } from './relays.ts';

export interface SallyportContender {
  readonly title: string;
  readonly options: SallyportOptions;
  /** Present where there is distance. */
  readonly relay: Relay | null;
  /** `host:port` of the tunnel. */
  readonly target: string;
  /** The mechanism that must have signed on, `null` for none. */
  readonly scheme: string | null;
}

/** A new engine each time: nothing is known of the proxy. */
export function strangerContender(contender: SallyportContender): Measurable {
  const { title, options } = contender;
  const measure = async (): Promise<Sample> => {
    await using upstream = await createUpstream(options);
    return await tunnelTime(upstream, contender);
  };
  return { title, measure };
}

/** One engine for all: what the proxy wants is known from the first round, its connection is new each time. */
export function acquaintedContender(contender: SallyportContender): Measurable {
  const { title, options } = contender;
  let upstream: Upstream | undefined;
  const measure = async (): Promise<Sample> => {
    upstream ??= await createUpstream(options);
    return tunnelTime(upstream, contender);
  };
  return { title, measure };
}

type Upstream = Awaited<ReturnType<typeof createUpstream>>;

async function tunnelTime(
  upstream: Upstream,
  { target, relay, scheme: expected }: SallyportContender,
): Promise<Sample> {
  // Of a try that failed.
  await relay?.passages();
  const started = performance.now();
  const result = await upstream.connect(target);
  const ms = performance.now() - started;
  const { status, scheme, legs, connections, refusal } = result;
  await gone(result.socket);
  if (status !== 200 || scheme !== expected || connections !== 1) {
    throw refusal ?? new Error(`${status} by ${scheme} over ${connections} connections`);
  }
  const seen = await relay?.passages();
  const last = seen?.at(-1);
  if (last !== undefined && (seen?.length !== 1 || last.legs !== legs)) {
    throw new Error(`The relay saw ${last.legs} legs where Sallyport tells of ${legs}`);
  }
  return sampleOf(ms, { legs, relayMs: last?.tunnelMs ?? null });
}

async function gone(socket: import('node:net').Socket): Promise<void> {
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined).destroy();
  await closed;
}
