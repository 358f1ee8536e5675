import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTrustedProxies, writeTrustedProxies } from './trusted-proxies.ts';

let home: string;
let folder: string;
let path: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sallyport-trusted-'));
  folder = join(home, '.config', 'sallyport');
  path = join(folder, 'trusted-proxies.json');
});

afterEach(async () => {
  await rm(home, { recursive: true });
});

const read = () => readTrustedProxies({ HOME: home }, 'linux');
const write = (proxies: readonly string[]) => writeTrustedProxies(proxies, { HOME: home }, 'linux');

describe('readTrustedProxies()', () => {
  it('gives none when there is no file, no folder or no home', async () => {
    expect(await read()).toEqual([]);
    expect(await readTrustedProxies({}, 'linux')).toEqual([]);
    await writeFile(join(home, '.config'), 'a file where the folder would be');
    expect(await read()).toEqual([]);
  });

  it('takes a byte order mark, as Windows editors write it', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(path, '\uFEFF["proxy.test:3128"]');
    expect(await read()).toEqual(['proxy.test:3128']);
  });

  it.each([
    ['no JSON', '["proxy.test"'],
    ['an object', '{"proxies": ["proxy.test"]}'],
    ['a number in it', '["proxy.test", 3128]'],
    ['a URL in it', '["http://proxy.test"]'],
    ['a pattern in it', '["*.test"]'],
    ['an empty name', '[""]'],
    ['a space', '["proxy.test other.test"]'],
    ['nothing', ''],
    ['bytes of something else', '\0\u0001\u0002'],
    ['65 KiB', JSON.stringify(Array(8_000).fill('p.test'))],
  ])('refuses a file with %s, names it and quotes nothing of it', async (_what, text) => {
    await mkdir(folder, { recursive: true });
    await writeFile(path, text);
    await expect(read()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${path} is not a JSON array of host names`,
    });
  });

  it('says why a file cannot be read', async () => {
    await mkdir(path, { recursive: true });
    await expect(read()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${path} cannot be read (EISDIR)`,
    });
  });
});

describe('writeTrustedProxies()', () => {
  it('keeps the list sorted and without doubles, for the eyes of its user only', async () => {
    expect(await write(['b.test', 'a.test:3128', 'b.test'])).toBe(path);
    expect(await read()).toEqual(['a.test:3128', 'b.test']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await readdir(folder)).toEqual(['trusted-proxies.json']);
  });

  it('removes the file with its last name', async () => {
    await write(['a.test']);
    await write([]);
    expect(await readdir(folder)).toEqual([]);
    expect(await read()).toEqual([]);
  });

  it('writes where a link leads, and leaves the link', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(home, 'kept.json'), '[]');
    await symlink(join(home, 'kept.json'), path);
    await write(['a.test']);
    expect(await readFile(join(home, 'kept.json'), 'utf8')).toBe('[\n  "a.test"\n]\n');
    expect(await read()).toEqual(['a.test']);
  });

  it('leaves the file as it was and no other behind when it cannot be written', async () => {
    await mkdir(path, { recursive: true });
    await expect(write(['a.test'])).rejects.toMatchObject({
      code: 'OUTPUT_FAILED',
      message: expect.stringContaining(path),
    });
    expect(await readdir(folder)).toEqual(['trusted-proxies.json']);
  });

  it('refuses where the environment names no home', async () => {
    await expect(writeTrustedProxies(['a.test'], {}, 'win32')).rejects.toMatchObject({
      code: 'OUTPUT_FAILED',
      hint: 'Set APPDATA.',
    });
  });
});
