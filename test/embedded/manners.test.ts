// Manners towards the proxy: what is left of a challenge that cannot be answered.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { ALICE, CERTIFICATES, clientOfAlice, readAll } from './network.ts';
import { createRawServer } from './raw-server.ts';

const CHALLENGE =
  'TlRMTVNTUAACAAAADAAMADgAAAAziIriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA=';

describe('a challenge whose page drips', () => {
  it('is given up after 2 s, and its connection with it', { timeout: 10_000 }, async () => {
    let challengedAt = 0;
    let closedAt = 0;
    await using proxy = await createRawServer((socket) => {
      socket.once('data', () => {
        challengedAt = performance.now();
        socket.write(
          `HTTP/1.1 407 X\r\nProxy-Authenticate: NTLM ${CHALLENGE}\r\nContent-Length: 900\r\n\r\n`,
        );
        const drip = setInterval(() => socket.write('x'), 50);
        once(socket, 'close').then(() => {
          clearInterval(drip);
          closedAt = performance.now();
        });
      });
    });
    await using client = await clientOfAlice({ proxy: proxy.url, auth: 'ntlm' });
    const failure = client.openTunnel('127.0.0.1:9');

    await expect(failure).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('could not be answered within 2 s'),
    });
    await expect.poll(() => closedAt - challengedAt).toBeGreaterThan(1900);
    expect(proxy.connections()).toBe(1);
  });
});

describe('a proxy whose authenticators are all busy', () => {
  it('is asked again in a moment, where it took the scheme before', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      habits: [{ name: 'few-authenticators', children: 1, waitMs: 20, status: 407 }],
    });
    await using origin = await createOrigin({ tls: CERTIFICATES });
    await using client = await clientOfAlice({ proxy: proxy.url });
    const get = async () => {
      const response = await client.request(`${origin.url}/bytes/5`);
      return (await readAll(response.body)).length;
    };
    expect(await get()).toBe(5);

    expect(await Promise.all(Array.from({ length: 12 }, get))).toEqual(Array(12).fill(5));
    // The scheme is not taken for one the proxy does not speak.
    expect(await get()).toBe(5);
    expect(proxy.counts().refused).toBe(0);
  });
});
