// The one warning that a tool's own file names another proxy. Owns the wording, and when it is said: at a terminal.
import { isatty } from 'node:tty';
import type { ForeignProxy } from '../settings/foreign-proxies.ts';
import { remark } from './narrate.ts';

/** @param command as it is started */
export async function tellForeignProxy(command: string): Promise<void> {
  if (!isatty(2)) {
    return;
  }
  const { findForeignProxies } = await import('../settings/foreign-proxies.ts');
  const all = await findForeignProxies(command);
  const told = all.find(({ wins }) => wins) ?? all[0];
  if (told !== undefined) {
    remark(foreignProxyText(told));
  }
}

/** Never the value: it may hold a password. */
function foreignProxyText({ file, line, key, wins }: ForeignProxy): string {
  return `${file}:${line} names another proxy (${key}), ${
    wins
      ? 'which wins over sallyport: take the line out to go through it'
      : 'which sallyport wins over for this run'
  }`;
}
