// Manners towards the proxy: what is left of a challenge that cannot be answered.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { clientOfAlice } from './network.ts';
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
