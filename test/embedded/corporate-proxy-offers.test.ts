// What the embedded proxy offers and challenges with, in all the shapes of its habits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseChallengeMessage } from '../../src/ntlm/challenge-message.ts';
import type { Habit, Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { askFirst, proxyWith, signOnTo } from './habit-stage.ts';
import { ALICE } from './network.ts';
import { RawClient } from './raw-client.ts';

const UNICODE = 1;
const OEM = 2;
const BASIC = 'Basic realm="Corporate proxy", charset="UTF-8"';
let origin: Origin;

beforeAll(async () => {
  origin = await createOrigin();
});

afterAll(() => origin.close());

describe('offers', () => {
  it.each([
    ['one-line-offers', [`Negotiate, NTLM, ${BASIC}`]],
    ['lower-case-schemes', ['negotiate', 'ntlm', BASIC.replace('Basic', 'basic')]],
    ['basic-first', [BASIC, 'Negotiate', 'NTLM']],
    ['strips-strong-schemes', [BASIC]],
    [
      'decoy-offers',
      [
        '="broken"',
        'Magic-Negotiate TlRMTVNTUAACAAAA',
        'NTLM-Wild realm="NTLM"',
        'Wild-and-crazy realm="Negotiate, NTLM", realm="twice"',
        'Negotiate',
        'NTLM',
        BASIC,
      ],
    ],
  ] as const)('%s', async (habit, offers) => {
    expect(await offersWith(habit)).toEqual(offers);
  });

  it('basic-first offers it where nobody asked for it, and takes none then', async () => {
    await using proxy = await proxyWith('basic-first');
    await using client = await RawClient.to(proxy);
    const { head } = await client.ask('GET', origin.url, ['Proxy-Authorization: Basic YTpi']);

    expect(head.headers.all('proxy-authenticate')).toEqual([BASIC, 'NTLM']);
    expect(proxy.log.at(-1)?.reason).toBe('scheme-not-offered');
  });

  it('a habit with times is over after them', async () => {
    await using proxy = await proxyWith({ name: 'lower-case-schemes', times: 1 });
    await using client = await RawClient.to(proxy);
    const first = await client.ask('GET', origin.url);
    const second = await client.ask('GET', origin.url);

    expect(first.head.headers.all('proxy-authenticate')).toEqual(['ntlm']);
    expect(second.head.headers.all('proxy-authenticate')).toEqual(['NTLM']);
  });
});

describe('challenges', () => {
  it.each([
    ['padded-token', /^NTLM TlRM[^=]+====$/],
    ['lower-case-schemes', /^ntlm TlRM/],
    ['decoy-offers', /^NTLM TlRM/],
  ] as const)('%s', async (habit, last) => {
    await using proxy = await proxyWith(habit);
    await using client = await RawClient.to(proxy);
    const { head } = await askFirst(client, origin.url);

    expect(head.headers.all('proxy-authenticate').at(-1)).toMatch(last);
    expect(head.headers.all('proxy-authenticate')).toHaveLength(habit === 'decoy-offers' ? 5 : 1);
  });

  it('has target information, a timestamp and one character set, without a habit', async () => {
    const { targetInfo, timestamp, flags } = await challengeOf();

    expect([targetInfo?.length, timestamp?.length, flags & (UNICODE | OEM)]).toEqual([
      5,
      8,
      UNICODE,
    ]);
  });

  it('no-target-info leaves it out, and nothing that needs it is demanded', async () => {
    expect(await challengeOf('no-target-info')).toMatchObject({ targetInfo: null });
    await expectSignOn('no-target-info');
  });

  it('no-timestamp leaves that pair out', async () => {
    const { targetInfo, timestamp } = await challengeOf('no-timestamp');

    expect([targetInfo?.length, timestamp]).toEqual([4, null]);
    await expectSignOn('no-timestamp');
  });

  it('both-charsets flags UNICODE and OEM', async () => {
    // The parser clears OEM, so the message itself is looked at.
    const { raw } = await challengeOf('both-charsets');

    expect(Buffer.from(raw).readUInt32LE(20) & (UNICODE | OEM)).toBe(UNICODE | OEM);
    await expectSignOn('both-charsets');
  });
});

async function offersWith(...habits: Habit[]): Promise<string[]> {
  await using proxy = await createCorporateProxy({
    schemes: ['Negotiate', 'NTLM', 'Basic'],
    users: [ALICE],
    habits,
  });
  await using client = await RawClient.to(proxy);
  return (await client.ask('GET', origin.url)).head.headers.all('proxy-authenticate');
}

async function challengeOf(...habits: Habit[]) {
  await using proxy = await proxyWith(...habits);
  await using client = await RawClient.to(proxy);
  const { head } = await askFirst(client, origin.url);
  const token = head.headers.first('proxy-authenticate')?.split(' ')[1] ?? '';
  return parseChallengeMessage(Buffer.from(token, 'base64'));
}

async function expectSignOn(habit: Habit): Promise<void> {
  await using proxy = await proxyWith(habit);
  await using client = await RawClient.to(proxy);
  expect((await signOnTo(client, `${origin.url}/bytes/1`)).head.status).toBe(200);
}
