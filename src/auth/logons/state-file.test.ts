import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from './file-lock.ts';
import { ownMark } from './process-mark.ts';
import { StateFile } from './state-file.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sallyport-state-'));
let home: string;
let folder: string;
let path: string;
let turn = 0;
const isRoot = process.getuid?.() === 0;

beforeEach(() => {
  turn += 1;
  home = join(scratch, `${turn}`);
  folder = join(home, 'state', 'sallyport');
  path = join(folder, 'words.json');
  mkdirSync(home);
});
afterAll(() => rmSync(scratch, { recursive: true }));

const open = (): StateFile => new StateFile({ folder, within: home }, 'words.json');
const append = (file: StateFile, word: string): Promise<string> =>
  file.change((text) => [text + word, text]);
const mode = (name: string): number => statSync(name).mode & 0o777;
const prepare = (text: string): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
};

describe('StateFile.change()', () => {
  it('makes folder and file for their user only', async () => {
    expect(await open().read()).toBe('');
    expect(await append(open(), 'a')).toBe('');
    expect([mode(folder), mode(path), readFileSync(path, 'utf8')]).toEqual([0o700, 0o600, 'a']);
    expect(readdirSync(folder)).toEqual(['words.json']);
  });

  it('loses nothing when many change it at once', async () => {
    const words = Array.from({ length: 30 }, (_, at) => `${at},`);
    await Promise.all(words.map((word) => append(open(), word)));
    expect((await open().read()).split(',').sort()).toEqual(words.join('').split(',').sort());
  });

  it('never creates the home', async () => {
    rmSync(home, { recursive: true });
    await expect(append(open(), 'a')).rejects.toThrow();
    expect(existsSync(home)).toBe(false);
  });

  it.runIf(isRoot)('creates nothing in the home of another user', async () => {
    chownSync(home, 12_345, 12_345);
    await expect(append(open(), 'a')).rejects.toThrow(/not a folder of this user/);
    expect(readdirSync(home)).toEqual([]);
  });

  it('leaves the file as it was when the update throws', async () => {
    prepare('old');
    const broken = open().change(() => {
      throw new Error('no');
    });
    await expect(broken).rejects.toThrow('no');
    expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['old', ['words.json']]);
  });

  it('goes on after a crash in mid-write', async () => {
    prepare('old');
    const lost = `${path}.4194305-00000000.tmp`;
    writeFileSync(lost, 'hal');
    utimesSync(lost, 1, 1);
    writeFileSync(`${path}.lock`, JSON.stringify({ ...ownMark(), pid: 4_194_305 }));
    expect(await append(open(), ' new')).toBe('old');
    expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['old new', ['words.json']]);
  });
});

describe('StateFile.read()', () => {
  it('sees what another one wrote', async () => {
    const reader = open();
    for (const word of ['a', 'b', 'c']) {
      await append(open(), word);
      expect(await reader.read()).toBe(readFileSync(path, 'utf8'));
    }
    rmSync(path);
    expect(await reader.read()).toBe('');
  });

  it('refuses a directory, a symbolic link and a file that is too large', async () => {
    mkdirSync(path, { recursive: true });
    await expect(open().read()).rejects.toThrow(/not a file/);
    rmSync(path, { recursive: true });
    writeFileSync(join(home, 'target'), 'x');
    symlinkSync(join(home, 'target'), path);
    await expect(open().read()).rejects.toThrow();
    await expect(append(open(), 'a')).rejects.toThrow();
    expect(readFileSync(join(home, 'target'), 'utf8')).toBe('x');
    rmSync(path);
    prepare('x'.repeat(256 * 1024 + 1));
    await expect(open().read()).rejects.toThrow(/too large/);
  });

  it('refuses a file that others may write', async () => {
    prepare('a');
    chmodSync(path, 0o620);
    await expect(open().read()).rejects.toThrow(/can be written by others/);
    await expect(append(open(), 'b')).rejects.toThrow(/can be written by others/);
    chmodSync(path, 0o644);
    expect(await open().read()).toBe('a');
  });

  it.runIf(isRoot)('refuses a file of another user', async () => {
    prepare('a');
    chownSync(path, 12_345, 12_345);
    await expect(open().read()).rejects.toThrow(/another user/);
  });
});

describe('withLock()', () => {
  const lock = (): string => join(home, 'lock');
  const age = (seconds: number): void => {
    const at = Date.now() / 1000 - seconds;
    utimesSync(lock(), at, at);
  };
  const run = (): Promise<string> => withLock(lock(), () => 'done', 40);

  it('waits no longer than it was told for a lock that is held, and leaves it', async () => {
    writeFileSync(lock(), JSON.stringify(ownMark()));
    await expect(run()).rejects.toThrow(/held by another process/);
    expect(existsSync(lock())).toBe(true);
  });

  it.each([
    ['of a process that is gone', () => JSON.stringify({ ...ownMark(), pid: 4_194_305 }), 0],
    ['of an older process with this number', () => JSON.stringify({ ...ownMark(), start: '1' }), 0],
    [
      'of a place that cannot be seen, when it is old',
      () => JSON.stringify({ ...ownMark(), space: 'x' }),
      11,
    ],
    ['without a mark, when it is old', () => '', 2],
    ['of garbage, when it is old', () => '{"pid":', 2],
  ])('breaks a lock %s', async (_what, text, seconds) => {
    writeFileSync(lock(), text());
    age(seconds);
    expect(await run()).toBe('done');
    expect(readdirSync(home)).toEqual([]);
  });

  it.each([
    ['of a place that cannot be seen', () => JSON.stringify({ ...ownMark(), space: 'x' })],
    ['without a mark', () => ''],
  ])('leaves a fresh lock %s', async (_what, text) => {
    writeFileSync(lock(), text());
    await expect(run()).rejects.toThrow(/held/);
  });
});
