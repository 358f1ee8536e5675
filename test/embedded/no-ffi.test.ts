// Where native code cannot be had: everything that needs no sign-on of the operating system works as always, and what
// does need it says what is missing.
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CorporateProxy, Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import type { CommandOptions } from './command.ts';
import { sallyport } from './command.ts';
import { ALICE, AS_ALICE, SCRATCH } from './network.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WITHOUT = join(SCRATCH, 'without-koffi');

let proxy: CorporateProxy;
let origin: Origin;

beforeAll(async () => {
  proxy = await createCorporateProxy({ schemes: ['Negotiate', 'NTLM'], users: [ALICE] });
  origin = await createOrigin();
  // As `npm install --omit=optional` leaves it.
  mkdirSync(join(WITHOUT, 'node_modules'), { recursive: true });
  cpSync(join(ROOT, 'dist'), join(WITHOUT, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(WITHOUT, 'package.json'));
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@koromix' && !name.startsWith('.')) {
      symlinkSync(join(ROOT, 'node_modules', name), join(WITHOUT, 'node_modules', name));
    }
  }
});
afterAll(() => Promise.all([proxy.close(), origin.close()]));

const WAYS: readonly (readonly [string, CommandOptions, RegExp])[] = [
  [
    'the optional package is not there',
    { main: join(WITHOUT, 'dist/cli/main.js') },
    /@koromix\/koffi-\S+ is not installed.*--omit=optional/s,
  ],
  [
    'the permission model forbids it',
    { node: ['--experimental-permission', '--allow-fs-read=*', '--no-warnings'] },
    /permission model forbids native code.*--allow-addons/s,
  ],
];

describe.each(WAYS)('where %s', (_why, options, words) => {
  it('a name and a password sign on as always', async () => {
    const { code, stdout, stderr } = await sallyport(
      ['get', '--proxy', proxy.url, `${origin.url}/bytes/1000`],
      { ...options, env: AS_ALICE },
    );
    expect([stderr, code, stdout.length]).toEqual(['', 0, 1000]);
  });

  it('the signed-in user is told what is missing', async () => {
    const { code, stderr } = await sallyport(
      ['get', '--proxy', proxy.url, `${origin.url}/bytes/1000`],
      options,
    );
    expect([code, stderr]).toEqual([4, expect.stringMatching(words)]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
