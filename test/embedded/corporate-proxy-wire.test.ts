// Answers of the embedded proxy that are misshapen, late or never come, byte by byte.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HabitParameters, Origin } from '../../src/testing/index.ts';
import { createOrigin } from '../../src/testing/index.ts';
import { askFirst, proxyWith, signOnTo } from './habit-stage.ts';
import { RawClient } from './raw-client.ts';

let origin: Origin;
let page: string;

beforeAll(async () => {
  origin = await createOrigin();
  page = `${origin.url}/bytes/1`;
});

afterAll(() => origin.close());

describe('heads', () => {
  it.each([
    [{ name: 'odd-reason' }, 'HTTP/1.1 407\r\n'],
    [{ name: 'odd-reason', reason: '' }, 'HTTP/1.1 407 \r\n'],
    [{ name: 'odd-reason', reason: 'Gr\u00fc\u00df Gott' }, 'HTTP/1.1 407 Gr\u00fc\u00df Gott\r\n'],
    [{ name: 'blank-lines' }, '\r\n\r\nHTTP/1.1 407 '],
    [
      { name: 'large-head', bytes: 20_000 },
      'HTTP/1.1 407 Proxy authentication required\r\nX-Long-0: x',
    ],
  ] as const)('%j', async (habit, start) => {
    await using proxy = await proxyWith(habit);
    await using client = await RawClient.to(proxy);
    client.send([`GET ${page} HTTP/1.1`, 'Host: x']);

    expect(String((await client.read())?.toString('latin1')).slice(0, start.length)).toBe(start);
  });

  it('large-head has 5 MB, which only a patient client reads', async () => {
    await using proxy = await proxyWith('large-head');
    await using client = await RawClient.to(proxy);
    client.send([`GET ${page} HTTP/1.1`, 'Host: x', 'Connection: close']);
    let bytes = 0;
    for (let packet = await client.read(); packet !== null; packet = await client.read()) {
      bytes += packet.length;
      client.packets = [];
    }
    expect(bytes).toBeGreaterThan(5_242_880);
  });

  it('slow-drip takes its time over head and page', async () => {
    await using proxy = await proxyWith({ name: 'slow-drip', bytes: 40, pauseMs: 10 });
    await using client = await RawClient.to(proxy);
    const started = performance.now();
    const { head, body } = await client.ask('GET', page);

    expect(head.status).toBe(407);
    expect(body.length).toBeGreaterThan(20);
    expect(client.packets.length).toBeGreaterThan(3);
    expect(performance.now() - started).toBeGreaterThan(40);
  });
});

describe('surplus-bytes', () => {
  it.each([
    [{ name: 'surplus-bytes' }, '\r\n\r\n'],
    [{ name: 'surplus-bytes', text: 'HTTP/1.1 200 OK\r\n\r\n' }, 'HTTP/1.1 200 OK\r\n\r\n'],
  ] as const)('%j stands behind the announced body', async (habit, surplus) => {
    await using proxy = await proxyWith(habit);
    await using client = await RawClient.to(proxy);
    const { head, body, rest } = await client.ask('GET', page);

    expect(body.length).toBe(Number(head.headers.first('content-length')));
    expect(String(rest)).toBe(surplus);
  });
});

describe('answers that break off or never come', () => {
  it.each([
    ['offers', 'reset', 'ECONNRESET'],
    ['challenge', 'close', null],
    ['verdict', 'reset', 'ECONNRESET'],
  ] as const)('cut-answer ends the %s behind a byte by %s', async (answer, by, failure) => {
    await using proxy = await proxyWith({ name: 'cut-answer', answer, bytes: 11, by });
    await using client = await RawClient.to(proxy);
    await (answer === 'offers' ? client.ask('GET', page) : signOnTo(client, page)).catch(
      () => undefined,
    );

    expect(Buffer.concat(client.packets).toString()).toMatch(/^HTTP\/1\.1 40$|^HTTP\/1\.1 20$/);
    expect(await client.read().then(() => client.failure)).toBe(failure);
  });

  it.each([
    ['cut-answer', { name: 'cut-answer', answer: 'challenge', bytes: 11, by: 'silence' }],
    ['silent-after-first-leg', 'silent-after-first-leg'],
  ] as const)('%s says nothing more, and waits', async (_, habit) => {
    await using proxy = await proxyWith(habit);
    await using client = await RawClient.to(proxy);
    const answer = askFirst(client, page).catch((error) => error);

    expect(await Promise.race([answer, delay(150, 'silent')])).toBe('silent');
    client.socket.destroy();
    expect(await answer).toBeInstanceOf(Error);
  });

  it('silent-to-request and silent-after-final-leg wait at their own leg', async () => {
    await using mute = await proxyWith('silent-to-request');
    await using late = await proxyWith('silent-after-final-leg');
    await using one = await RawClient.to(mute);
    await using two = await RawClient.to(late);
    const answers = [one.ask('GET', page), signOnTo(two, page)].map((answer) =>
      answer.catch(() => 'ended'),
    );

    expect(await Promise.race([...answers, delay(200, 'silent')])).toBe('silent');
    expect(mute.log.at(-1)).toMatchObject({ leg: 'none', status: null });
    expect(late.log.at(-1)).toMatchObject({ leg: 'final', status: null });
    await Promise.all([mute.close(), late.close()]);
    expect(await Promise.all(answers)).toEqual(['ended', 'ended']);
  });

  it('close() ends a drip, too', async () => {
    const drip: HabitParameters['slow-drip'] = { bytes: 1, pauseMs: 20 };
    const proxy = await proxyWith({ name: 'slow-drip', ...drip });
    await using client = await RawClient.to(proxy);
    const answer = client.ask('GET', page).catch(() => 'ended');
    await delay(50);
    await proxy.close();

    expect(await answer).toBe('ended');
  });
});
