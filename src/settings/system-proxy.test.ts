import { describe, expect, it } from 'vitest';
import { readSystemProxy } from './system-proxy.ts';

const answering = (output: string) =>
  readSystemProxy({ platform: 'darwin', env: {}, run: async () => ({ output }) });
const SETTINGS = '<dictionary> {\n HTTPEnable : 1\n HTTPProxy : proxy\n}\n';

describe('readSystemProxy()', () => {
  it('does not read more than a mebibyte', async () => {
    const filled = SETTINGS.padEnd(1024 * 1024);
    expect(await answering(filled)).toMatchObject({ httpProxy: 'proxy' });
    expect(await answering(`${filled} `)).toEqual({
      name: 'macOS settings',
      problem: '/usr/sbin/scutil told more than 1 MiB',
    });
  });
});
