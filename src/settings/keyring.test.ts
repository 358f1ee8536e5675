import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SallyportError } from '../errors/sallyport-error.ts';
import { Secret } from '../observe/secret.ts';
import type { KeyringPlace } from './keyring.ts';
import { checkKeyring, deleteKeyring, listKeyring, readKeyring, writeKeyring } from './keyring.ts';
import { keyringRefused } from './keyring-errors.ts';
import type { KeyringRequest } from './keyring-process.ts';

const PROXY = 'http://proxy.test:3128';
const ACCOUNT = 'proxy.test:3128';

let home: string;
let store: Map<string, string>;
let asked: string[];
let refuses: SallyportError | null;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sallyport-keyring-'));
  store = new Map();
  asked = [];
  refuses = null;
});

afterEach(async () => {
  await rm(home, { recursive: true });
});

/** A keyring that is a map. */
const place = (more: KeyringPlace = {}): KeyringPlace => ({
  env: { HOME: home },
  platform: 'linux',
  ask: async ({ action, service, account, value }: KeyringRequest) => {
    asked.push(action);
    expect(service).toBe('sallyport');
    if (refuses !== null) {
      throw refuses;
    }
    if (action === 'write') {
      store.set(account, value ?? '');
    }
    const found = action === 'delete' ? store.delete(account) : store.has(account);
    return { found, value: store.get(account) };
  },
  ...more,
});

const store1 = () => writeKeyring(PROXY, 'CORP\\zoë', new Secret('Pä55"wörd'), place());

describe('readKeyring()', () => {
  it('opens no keyring when nothing was ever stored', async () => {
    expect(await readKeyring(PROXY, place())).toBeNull();
    expect(asked).toEqual([]);
  });

  it('opens no keyring for another proxy than the stored one, its port included', async () => {
    await store1();
    asked = [];
    expect(await readKeyring('http://proxy.test:8080', place())).toBeNull();
    expect(await readKeyring('http://other.test:3128', place())).toBeNull();
    expect(asked).toEqual([]);
  });

  it('gives what was stored, however the proxy is written', async () => {
    await store1();
    for (const proxy of [PROXY, `${PROXY}/`, 'HTTP://Proxy.Test:3128', ACCOUNT]) {
      const login = await readKeyring(proxy, place());
      expect(login?.user).toBe('CORP\\zoë');
      expect(login?.password.reveal()).toBe('Pä55"wörd');
    }
  });

  it.each([
    ['no JSON', 'Alice-Secret1'],
    ['JSON of something else', '["Alice-Secret1"]'],
    ['no object', 'null'],
    ['no password', '{"user":"Alice-Secret1"}'],
  ])('gives null for %s under its name, and shows nothing of it', async (_what, text) => {
    await store1();
    store.set(ACCOUNT, text);
    const failures: SallyportError[] = [];
    const onFailure = (failure: SallyportError) => failures.push(failure);
    expect(await readKeyring(PROXY, place({ onFailure }))).toBeNull();
    expect(failures).toMatchObject([{ code: 'KEYRING_FAILED' }]);
    expect(`${failures[0]?.stack} ${failures[0]?.cause}`).not.toContain('Alice-Secret1');
  });

  it('gives null and tells why when keyring or list cannot be read', async () => {
    await store1();
    const failures: string[] = [];
    const onFailure = ({ code }: SallyportError) => failures.push(code);
    refuses = new SallyportError('KEYRING_FAILED');
    expect(await readKeyring(PROXY, place({ onFailure }))).toBeNull();
    await writeFile(join(home, '.config/sallyport/stored-logins.json'), 'garbage');
    expect(await readKeyring(PROXY, place({ onFailure }))).toBeNull();
    expect(await readKeyring(PROXY, place({ env: {} }))).toBeNull();
    expect(failures).toEqual(['KEYRING_FAILED', 'CONFIG_INVALID']);
  });
});

describe('writeKeyring()', () => {
  it('leaves no word of name or password in the list', async () => {
    await store1();
    expect(await listKeyring(place())).toEqual([ACCOUNT]);
    const folder = join(home, '.config/sallyport');
    expect(await readdir(folder)).toEqual(['stored-logins.json']);
    expect(await readFile(join(folder, 'stored-logins.json'), 'utf8')).toBe(
      `[\n  "${ACCOUNT}"\n]\n`,
    );
  });

  it('leaves the list as it was when the keyring refuses', async () => {
    refuses = new SallyportError('KEYRING_FAILED');
    await expect(store1()).rejects.toMatchObject({ code: 'KEYRING_FAILED' });
    expect(await listKeyring(place())).toEqual([]);
  });

  it('stores nothing when the list cannot be kept', async () => {
    await mkdir(join(home, '.config/sallyport/stored-logins.json'), { recursive: true });
    await expect(store1()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(
      writeKeyring(PROXY, 'a', new Secret('b'), place({ env: {} })),
    ).rejects.toMatchObject({ code: 'KEYRING_FAILED' });
    expect(store.size).toBe(0);
  });
});

describe('deleteKeyring()', () => {
  it('removes one login and its name from the list', async () => {
    await store1();
    await writeKeyring('http://other.test:1', 'b', new Secret('c'), place());
    expect(await deleteKeyring(PROXY, place())).toBe(true);
    expect(await listKeyring(place())).toEqual(['other.test:1']);
    expect([...store.keys()]).toEqual(['other.test:1']);
    expect(await deleteKeyring(PROXY, place())).toBe(false);
  });

  it('fails, and forgets nothing, when a stored login cannot be removed', async () => {
    await store1();
    refuses = new SallyportError('KEYRING_FAILED');
    await expect(deleteKeyring(PROXY, place())).rejects.toMatchObject({ code: 'KEYRING_FAILED' });
    expect(await listKeyring(place())).toEqual([ACCOUNT]);
  });

  it('is false where nothing is stored and there is no keyring either', async () => {
    refuses = new SallyportError('KEYRING_FAILED');
    expect(await deleteKeyring(PROXY, place())).toBe(false);
  });
});

describe('checkKeyring()', () => {
  it('fails where there is no keyring, or no home to keep the list in', async () => {
    await checkKeyring(place());
    expect(asked).toEqual(['open']);
    await expect(checkKeyring(place({ env: {} }))).rejects.toMatchObject({
      code: 'KEYRING_FAILED',
    });
    refuses = new SallyportError('KEYRING_FAILED');
    await expect(checkKeyring(place())).rejects.toBe(refuses);
  });
});

describe('keyringRefused()', () => {
  it.each<[NodeJS.Platform, string, RegExp]>([
    ['linux', 'Platform failure: DBus error: no such file', /no Secret Service/],
    ['linux', "Couldn't access platform storage: no result found", /no keyring to store/],
    ['linux', 'Secret Service: unlock prompt was dismissed', /locked/],
    ['darwin', 'DBus error', /^The keyring refuses: DBus error$/],
    ['win32', 'Attribute password is longer than platform limit of 2560 chars', /length/],
    ['win32', 'something new', /^The keyring refuses: something new$/],
  ])('on %s has words and a remedy for %j', (platform, reason, words) => {
    const error = keyringRefused(reason, platform);
    expect(error.message).toMatch(words);
    expect(error.hint).toContain('SALLYPORT_PASSWORD');
  });
});
