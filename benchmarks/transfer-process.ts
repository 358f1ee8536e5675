// Transfers by Sallyport in a process of its own: a warm program that does nothing else, so that neither what measures nor its
// memory counts. Answers the orders of `transfer-client.ts` one by one and ends with its parent.
import { createReadStream } from 'node:fs';
import type { SallyportOptions, Upstream } from 'sallyport';
import { createUpstream } from 'sallyport';
import { reasonOf } from './contender.ts';

export interface TransferOrder {
  /** Those of the first order count. */
  readonly options: SallyportOptions;
  readonly url: string;
  /** A file to send, `null` to get one. */
  readonly upload: { readonly file: string; readonly bytes: number } | null;
}

export interface TransferReport {
  readonly status: number;
  readonly scheme: string | null;
  readonly legs: number;
  readonly connections: number;
  /** Of the body that came. */
  readonly bytes: number;
  /** The begin of it. */
  readonly text: string;
  readonly ms: number;
  readonly cpuMs: number;
}

export type TransferAnswer = TransferReport | { readonly failure: string };

const TEXT_BYTES = 32;
let engine: Upstream | undefined;

process.on('message', (order: TransferOrder) => {
  obey(order).then(
    (answer) => process.send?.(answer satisfies TransferAnswer),
    (error: unknown) => process.send?.({ failure: reasonOf(error) } satisfies TransferAnswer),
  );
});
process.on('disconnect', () => process.exit(0));

async function obey({ options, url, upload }: TransferOrder): Promise<TransferReport> {
  const upstream = await engineOf(options);
  const used = process.cpuUsage();
  const started = performance.now();
  const { status, scheme, legs, connections, body } = await upstream.request(
    url,
    upload === null
      ? {}
      : {
          method: 'PUT',
          headers: [['Content-Length', String(upload.bytes)]],
          body: () => createReadStream(upload.file),
        },
  );
  let bytes = 0;
  let text = '';
  for await (const piece of body as AsyncIterable<Buffer>) {
    text ||= piece.toString('latin1', 0, TEXT_BYTES);
    bytes += piece.length;
  }
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(used);
  return { status, scheme, legs, connections, bytes, text, ms, cpuMs: (user + system) / 1000 };
}

/**
 * One for all orders: what it trusts is read from the disk once. It is closed from the start, so that it keeps no connection:
 * each transfer signs on to one of its own, as curl does.
 */
async function engineOf(options: SallyportOptions): Promise<Upstream> {
  if (engine === undefined) {
    engine = await createUpstream(options);
    await engine.close();
  }
  return engine;
}
