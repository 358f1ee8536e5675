// `load.ts` in a process of its own. Ends with its parent.
import { reasonOf } from './contender.ts';
import type { LoadAnswer, LoadOrder } from './load.ts';
import { load } from './load.ts';

export type LoadReply = LoadAnswer | { readonly failure: string };

process.on('message', (order: LoadOrder) => {
  load(order).then(
    (answer) => process.send?.(answer satisfies LoadReply),
    (error: unknown) => process.send?.({ failure: reasonOf(error) } satisfies LoadReply),
  );
});
process.on('disconnect', () => process.exit(0));
