// The proxies and origins of the soak, in a process of their own: the memory that is measured is then the client's alone.
// Answers the orders of `stage.ts` one by one and ends with its parent.
import type { CorporateProxy, Origin, ProxyCounts } from 'sallyport/testing';
import { createCorporateProxy, createOrigin, createTestCertificates } from 'sallyport/testing';
import type { ProxyName } from './plan.ts';
import { ORIGIN_USER, PLAN, planOf } from './plan.ts';
import { randomOf } from './random.ts';
import { openShakyRelay } from './shaky-relay.ts';

export type StageOrder = { readonly do: 'open'; readonly seed: number } | { readonly do: 'count' };

export interface StagePlaces {
  /** `http://127.0.0.1:port`, of the relay before it where there is one. */
  readonly proxies: Readonly<Record<ProxyName, string>>;
  readonly http: string;
  readonly https: string;
  /** PEM. */
  readonly ca: string;
}

export type StageCounts = Readonly<Record<ProxyName, ProxyCounts>>;
export type StageAnswer = { readonly places: StagePlaces } | { readonly counts: StageCounts };

const proxies = new Map<ProxyName, CorporateProxy>();
const origins: Origin[] = [];

process.on('message', (order: StageOrder) => {
  const work = order.do === 'open' ? open(order.seed) : count();
  work.then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      process.stderr.write(`stage: ${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));

async function open(seed: number): Promise<StageAnswer> {
  const certificates = createTestCertificates();
  const urls: [ProxyName, string][] = [];
  for (const name of Object.keys(PLAN) as ProxyName[]) {
    const { role, proxy: options, tls } = planOf(name);
    const proxy = await createCorporateProxy({ ...options, ...(tls ? { tls: certificates } : {}) });
    proxies.set(name, proxy);
    const random = randomOf(seed, proxy.port);
    const isShaky = role === 'shaky';
    urls.push([
      name,
      isShaky ? `http://127.0.0.1:${await openShakyRelay(proxy.port, random)}` : proxy.url,
    ]);
  }
  const users = [ORIGIN_USER];
  origins.push(await createOrigin({ users }), await createOrigin({ users, tls: certificates }));
  const [http = '', https = ''] = origins.map(({ url }) => url);
  const places = {
    proxies: Object.fromEntries(urls) as Record<ProxyName, string>,
    ...{ http, https, ca: certificates.ca },
  };
  return { places };
}

/** Counts are kept; the logs of a hundred thousand handshakes would fill this process. */
async function count(): Promise<StageAnswer> {
  for (const { log } of [...proxies.values(), ...origins]) {
    (log as unknown[]).length = 0;
  }
  const all = [...proxies].map(([name, proxy]) => [name, proxy.counts()] as const);
  return { counts: Object.fromEntries(all) as StageCounts };
}
