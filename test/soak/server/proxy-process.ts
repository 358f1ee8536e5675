// A corporate proxy of the soak in a process of its own, so that it can be killed. It keeps no log.
import { createCorporateProxy } from 'sallyport/testing';
import type { ProxyOrder } from './orders.ts';
import { ALICE } from './plan.ts';

const EMPTIED_EACH_MS = 1000;

process.on('message', ({ port }: ProxyOrder) => {
  void open(port);
});
process.on('disconnect', () => process.exit(0));

async function open(port: number): Promise<void> {
  const proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE], port });
  setInterval(() => ((proxy.log as unknown[]).length = 0), EMPTIED_EACH_MS);
  process.send?.({ port: proxy.port });
}
