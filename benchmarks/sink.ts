// The parent's end of `sink-process.ts`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SinkAddress } from './sink-process.ts';

export interface Sink extends AsyncDisposable {
  /** `https://127.0.0.1:port` */
  readonly url: string;
  /** The file of the authority of its certificate. */
  readonly ca: string;
}

/** @param folder for the certificate */
export async function startSink(folder: string): Promise<Sink> {
  const child = fork(fileURLToPath(new URL('./sink-process.js', import.meta.url)));
  const ended = once(child, 'exit');
  const told = await Promise.race([once(child, 'message'), ended.then(() => null)]);
  if (told === null) {
    throw new Error('The process that takes uploads has ended');
  }
  const [{ url, ca }] = told as [SinkAddress];
  const file = join(folder, 'sink-ca.pem');
  await writeFile(file, ca);
  return {
    url,
    ca: file,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null) {
        child.disconnect();
        await ended;
      }
    },
  };
}
