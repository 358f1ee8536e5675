// The relays in a process of their own, so that the client that is measured has its event loop for itself. Answers the
// orders of `relays.ts` one by one and ends with its parent.
import type { DelayingRelay } from './delaying-relay.ts';
import { createDelayingRelay } from './delaying-relay.ts';
import type { Passage } from './passage.ts';
import { PassageWatch } from './passage.ts';

/** What the parent may order; each order gets one answer, in turn. */
export type RelayOrder =
  | { readonly do: 'open'; readonly host: string; readonly port: number; readonly rttMs: number }
  | { readonly do: 'passages'; readonly relay: number };

/** The port of the relay, or what passed through it since it was last asked. */
export type RelayAnswer = { readonly port: number } | { readonly passages: readonly Passage[] };

const relays = new Map<number, { relay: DelayingRelay; watches: PassageWatch[] }>();

process.on('message', (order: RelayOrder) => {
  obey(order).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      process.stderr.write(`relay: ${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));

async function obey(order: RelayOrder): Promise<RelayAnswer> {
  if (order.do === 'passages') {
    const watches = relays.get(order.relay)?.watches.splice(0) ?? [];
    return { passages: watches.map(({ passage }) => passage) };
  }
  const { host, port, rttMs } = order;
  const watches: PassageWatch[] = [];
  const relay = await createDelayingRelay({
    target: { host, port },
    rttMs,
    watch: () => {
      const watch = new PassageWatch();
      watches.push(watch);
      return watch;
    },
  });
  relays.set(relay.port, { relay, watches });
  return { port: relay.port };
}
