// The memory of logons on Windows: its files are renamed, locked and shared by Windows' own rules.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CorporateProxy, Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { ensureLab } from './lab.ts';
import { runOnWindows, windowsPath } from './windows.ts';

const lab = await ensureLab();
const ALICE = { name: 'alice', domain: 'CORP', password: 'Alice-Secret1' };
const PROCESSES = 6;
const folder = mkdtempSync(join(tmpdir(), 'sallyport-windows-logons-'));
const state = join(folder, 'state');

let proxy: CorporateProxy;
let origin: Origin;

const run = (password: string, args: readonly string[]) =>
  runOnWindows({
    node: '20',
    program: 'dist/cli/main.js',
    args: [...args, '--proxy', proxy.url, `${origin.url}/bytes/4`],
    env: {
      SALLYPORT_STATE_DIR: windowsPath(state),
      SALLYPORT_USER: 'CORP\\alice',
      SALLYPORT_PASSWORD: password,
    },
  });
const getAtOnce = (password: string) =>
  Promise.all(Array.from({ length: PROCESSES }, () => run(password, ['get'])));
const lastLegs = () => proxy.counts().finalLegs['CORP\\alice'] ?? 0;

describe.skipIf(!lab.available)('processes at once on Windows', () => {
  beforeAll(async () => {
    proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    origin = await createOrigin();
  });

  afterAll(async () => {
    await Promise.all([proxy.close(), origin.close()]);
    rmSync(folder, { recursive: true });
  });

  it('send a wrong password once, however their reading and writing meets', async () => {
    const legs: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const before = lastLegs();
      await getAtOnce(`Wrong-Secret${round}`);
      legs.push(lastLegs() - before);
    }
    expect(legs).toEqual(Array(5).fill(1));
  });

  it('send a wrong password once, the right one as often as they like', async () => {
    const before = lastLegs();
    const refused = await getAtOnce('Wrong-Secret9');
    expect(refused.map(({ code }) => code)).toEqual(Array(PROCESSES).fill(4));
    const blocked = refused.filter(({ stderr }) => stderr.includes('nothing was sent to'));
    expect([blocked.length, lastLegs() - before]).toEqual([PROCESSES - 1, 1]);
    const accepted = await getAtOnce(ALICE.password);
    expect(accepted.map(({ code, stderr }) => [code, stderr])).toEqual(
      Array(PROCESSES).fill([0, '']),
    );
    expect(readdirSync(state)).toEqual(['logons.json']);
    expect(readFileSync(join(state, 'logons.json'), 'utf8')).toMatch(
      /"refused".*"proven"|"proven".*"refused"/,
    );
    const retried = await run('', ['retry', '--json']);
    expect(JSON.parse(retried.stdout)).toMatchObject({ ok: true });
  });
});
