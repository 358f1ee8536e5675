import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../observe/secret.ts';
import { forgetRefusals } from './forget-refusals.ts';
import { LogonGate } from './logon-gate.ts';
import { emptyDocument, formatDocument, parseDocument } from './logon-record.ts';
import type { LogonRequest } from './logon-request.ts';
import { UNPROVEN } from './logon-standing.ts';
import { ownMark } from './process-mark.ts';
import { SharedLogons } from './shared-logons.ts';
import { StateFile } from './state-file.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sallyport-logons-'));
const signal = new AbortController().signal;
const refusedError = expect.objectContaining({ code: 'CREDENTIALS_REFUSED' });
const DAY = 24 * 60 * 60_000;
let folder: string;
let now: number;
let turn = 0;

beforeEach(() => {
  turn += 1;
  folder = join(scratch, `${turn}`);
  now = 1_800_000_000_000;
});
afterAll(() => rmSync(scratch, { recursive: true }));

const open = (): StateFile => new StateFile({ folder, within: scratch }, 'logons.json');
const path = (): string => join(folder, 'logons.json');
const memory = (): SharedLogons => new SharedLogons(open, () => now);
/** What another process has: nothing in common but the file. */
const process_ = (maxWaitMs = 10_000): LogonGate =>
  new LogonGate({ shared: memory(), maxWaitMs, now: () => now });
const logon = (secret: string | null, account = 'CORP\\alice'): LogonRequest => ({
  place: 'proxy.corp.example:3128',
  realm: 'corp.example',
  account,
  secret: secret === null ? null : new Secret(secret),
});
/** Verdicts are written behind the back of who tells them. */
const file = () => expect.poll(() => readFileSync(path(), 'utf8'), { timeout: 5000, interval: 10 });
const written = async (): Promise<string> => {
  await file().toContain('"leases":[]');
  return readFileSync(path(), 'utf8');
};

describe('LogonGate with a shared memory', { timeout: 15_000 }, () => {
  it('turns every process away after one refusal, until the secret changes', async () => {
    (await process_().enter(logon('wrong'), signal)).refused();
    await written();
    now += 61_000;
    await expect(process_().enter(logon('wrong'), signal)).rejects.toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      message: expect.stringContaining('proxy.corp.example:3128 refused CORP\\alice 1 min ago'),
    });
    (await process_().enter(logon('right'), signal)).accepted();
  });

  it('holds others back until the verdict, then lets all in', async () => {
    const first = await process_().enter(logon('right'), signal);
    let inside = 0;
    const others = Array.from({ length: 5 }, async () => {
      const ticket = await process_().enter(logon('right'), signal);
      inside += 1;
      return ticket;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(inside).toBe(0);
    first.accepted();
    expect((await Promise.all(others)).map(({ proven }) => proven)).not.toContain(false);
  });

  it('lets one more in after the longest wait, and no third', async () => {
    await process_().enter(logon('slow'), signal);
    const second = await process_(100).enter(logon('slow'), signal);
    const controller = new AbortController();
    const third = process_(100).enter(logon('slow'), controller.signal);
    setTimeout(() => controller.abort(new Error('enough')), 400);
    await expect(third).rejects.toThrow('enough');
    second.undecided();
  });

  it('passes the turn of a process that died on at once', async () => {
    (await process_().enter(logon('x'), signal)).accepted();
    const before = await written();
    const lease = { ...ownMark(), pid: 4_194_305, id: 'x', until: now + 120_000 };
    now += 61_000;
    writeFileSync(path(), before.replace('"leases":[]', `"leases":[${JSON.stringify(lease)}]`));
    const started = performance.now();
    (await process_().enter(logon('x'), signal)).undecided();
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('hears in a running process that the refusal was forgotten', async () => {
    const running = process_();
    (await running.enter(logon('wrong'), signal)).refused();
    await written();
    await expect(running.enter(logon('wrong'), signal)).rejects.toEqual(refusedError);
    expect(await forgetRefusals(['other.example'], open(), now)).toMatchObject({ forgotten: 0 });
    expect(await forgetRefusals(['corp.example'], open(), now)).toEqual({
      forgotten: 1,
      accounts: ['corp\\alice'],
    });
    (await running.enter(logon('wrong'), signal)).refused();
  });

  it('counts the doubts of all processes, and starts again after an acceptance', async () => {
    (await process_().enter(logon('old'), signal)).accepted();
    for (let count = 0; count < 3; count += 1) {
      const ticket = await process_().enter(logon('old'), signal);
      expect(ticket.proven).toBe(true);
      ticket.refused();
      await file().toContain(`"strikes":${count + 1}`);
    }
    await expect(process_().enter(logon('old'), signal)).rejects.toThrow(/3 times in a row/);
    now += 10 * 60_000;
    (await process_().enter(logon('old'), signal)).accepted();
    await file().toContain('"strikes":0');
  });

  it('forgets a refusal after 30 days, one of the system’s sign-on after an hour', async () => {
    (await process_().enter(logon('wrong'), signal)).refused();
    (await process_().enter(logon(null), signal)).refused();
    await file().toMatch(/^(.*?"refused"){2}/);
    now += 60 * 60_000;
    (await process_().enter(logon(null), signal)).undecided();
    now += 30 * DAY - 60 * 60_000 - 1;
    await expect(process_().enter(logon('wrong'), signal)).rejects.toEqual(refusedError);
    now += 1;
    (await process_().enter(logon('wrong'), signal)).undecided();
  });

  it('writes nothing for an acceptance that says nothing new', async () => {
    (await process_().enter(logon('right'), signal)).accepted();
    const before = await written();
    now += 29_000;
    (await process_().enter(logon('right'), signal)).accepted();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await written()).toBe(before);
    now += 2_000;
    (await process_().enter(logon('right'), signal)).accepted();
    await file().not.toBe(before);
  });
});

describe('the file of SharedLogons', { timeout: 15_000 }, () => {
  it('holds no secret, and 20 bits of what is computed from it', async () => {
    for (const secret of ['Alice-Secret1', 'Wrong-Secret9', 'third']) {
      (await process_().enter(logon(secret), signal)).refused();
    }
    await file().toMatch(/^(.*?"refused"){3}/);
    const before = await written();
    expect(before).not.toMatch(/Secret|third/);
    const { logons } = JSON.parse(before);
    for (const record of logons) {
      expect(Object.keys(record)).toEqual(['realm', 'account', 'tag', 'standing', 'leases']);
      expect(record.tag).toBeLessThan(2 ** 20);
    }
    expect(new Set(logons.map(({ tag }: { tag: number }) => tag)).size).toBe(3);
  });

  it.each([
    ['garbage', '\u0000\u0001{"version":1'],
    ['an empty file', ''],
    ['another shape', '{"version":1,"salt":"x","revision":"no","logons":{}}'],
    ['null', 'null'],
  ])('is replaced when it holds %s', async (_what, garbage) => {
    mkdirSync(folder);
    writeFileSync(path(), garbage, { mode: 0o600 });
    (await process_().enter(logon('wrong'), signal)).refused();
    await file().toContain('"refused"');
    await expect(process_().enter(logon('wrong'), signal)).rejects.toEqual(refusedError);
  });

  it('keeps the records it understands', async () => {
    (await process_().enter(logon('wrong'), signal)).refused();
    const before = await written();
    const broken = before.replace(
      '"logons":[',
      '"logons":[null,{"realm":7},{"realm":"a","account":"b"},',
    );
    writeFileSync(path(), broken);
    await expect(process_().enter(logon('wrong'), signal)).rejects.toEqual(refusedError);
  });

  it('of a newer version is left alone: the gate works in its process', async () => {
    mkdirSync(folder);
    writeFileSync(path(), '{"version":2}', { mode: 0o600 });
    const gate = process_();
    (await gate.enter(logon('wrong'), signal)).refused();
    await expect(gate.enter(logon('wrong'), signal)).rejects.toEqual(refusedError);
    expect(readFileSync(path(), 'utf8')).toBe('{"version":2}');
  });

  it('that cannot be had leaves the gate to its process', async () => {
    for (const shared of [
      new SharedLogons(() => null),
      new SharedLogons(() => new StateFile({ folder, within: join(scratch, 'none') }, 'x')),
    ]) {
      const gate = new LogonGate({ shared });
      (await gate.enter(logon('wrong'), signal)).refused();
      await expect(gate.enter(logon('wrong'), signal)).rejects.toEqual(refusedError);
      (await gate.enter(logon('right'), signal)).accepted();
    }
  });

  it('keeps the 200 freshest records', () => {
    const logons = Array.from({ length: 205 }, (_, at) => ({
      ...{ realm: 'corp.example', account: `user${at}`, tag: at, leases: [] },
      standing: { ...UNPROVEN, verdict: 'refused' as const, refusedAt: at },
    }));
    const kept = parseDocument(formatDocument({ ...emptyDocument(), logons }))?.logons ?? [];
    expect([kept.length, kept[0]?.account, kept.at(-1)?.account]).toEqual([
      200,
      'user204',
      'user5',
    ]);
  });
});
