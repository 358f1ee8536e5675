// The local proxies of the soak in a process of their own: what it holds is theirs alone. Answers the orders of `run.ts`.
import { openSync } from 'node:fs';
import { createProxyServer, createUpstream } from 'sallyport';
import { activeResources, comesTrue, countDescriptors, readGauges } from '../gauges.ts';
import type { ServerOrder, ServerState, Way } from './orders.ts';
import { WAYS } from './orders.ts';
import { ALICE } from './plan.ts';

const WARM = 4;
/** With `--plant-faults`, at each measuring. */
const LEAK_BYTES = 400_000;
const plantsFaults = process.argv.includes('--plant-faults');

const kept: unknown[] = [];
const ports: Record<Way, number> = { calm: 0, killed: 0 };
const stops: (() => Promise<void>)[] = [];
let atStart: ServerState['atStart'] = { descriptors: null, resources: '' };

process.on('message', (order: ServerOrder) => {
  work(order).then(
    (state) => process.send?.(state),
    (error: unknown) => {
      process.stderr.write(`server: ${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));

async function work(order: ServerOrder): Promise<ServerState> {
  if (order.do === 'open') {
    await readGauges();
    atStart = { descriptors: countDescriptors(), resources: activeResources() };
    await open(order);
  } else if (order.do === 'close') {
    await Promise.all(stops.map((stop) => stop()));
    // Node tells of the end of a socket a turn or two later.
    await comesTrue(
      () => countDescriptors() === atStart.descriptors && activeResources() === atStart.resources,
    );
  } else if (plantsFaults) {
    kept.push(Buffer.alloc(LEAK_BYTES), openSync('/dev/null', 'r'));
  }
  return { ...(await readGauges()), resources: activeResources(), ports, atStart };
}

async function open({ proxies, token }: Extract<ServerOrder, { do: 'open' }>): Promise<void> {
  for (const way of WAYS) {
    const upstream = await createUpstream({
      proxy: proxies[way],
      user: `${ALICE.domain}\\${ALICE.name}`,
      password: ALICE.password,
      systemCa: false,
      env: {},
      warm: WARM,
    });
    const server = await createProxyServer({ upstream, token });
    ports[way] = server.port;
    stops.push(async () => {
      await server.close();
      await upstream.close();
    });
  }
}
