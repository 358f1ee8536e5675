// Digest at squid and apache: each user, each way, and a hundred requests under one nonce.
import { describe, expect, it } from 'vitest';
import { proxyLog } from './access-log.ts';
import { clientOf, readText, sallyport } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const { proxies, origins, users } = LAB;
const HELLO = 'hello from origin\n';
const TARGETS = { http: `${origins.http}/small.txt`, https: `${origins.https}/small.txt` };
/** The password files know plain names. */
const PEOPLE = {
  alice: { ...users.alice, typed: 'alice' },
  bob: { ...users.bob, typed: 'bob' },
  zoe: { ...users.zoe, typed: 'zoë' },
};

describe.skipIf(!lab.available)('Digest', () => {
  for (const person of ['alice', 'bob', 'zoe'] as const) {
    it.each(['http', 'https'] as const)(`at squid, ${person}, %s`, async (target) => {
      await using client = await clientOf(PEOPLE[person], { proxy: proxies.digest.url });
      const legs: number[] = [];
      for (let turn = 0; turn < 2; turn += 1) {
        const response = await client.request(TARGETS[target]);
        expect(await readText(response.body)).toBe(HELLO);
        expect(response).toMatchObject({ status: 200, scheme: 'Digest' });
        legs.push(response.legs, response.connections);
      }
      // A forwarded request leaves its connection to the next one; a tunnel does not.
      expect(legs).toEqual([2, 1, 1, target === 'http' ? 0 : 1]);
    });
  }

  it('serves a hundred requests at once under one nonce of squid', async () => {
    await using client = await clientOf(PEOPLE.alice, { proxy: proxies.digest.url });
    const first = await client.request(TARGETS.http);
    await readText(first.body);
    const mark = await proxyLog('digest').mark();
    const all = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await client.request(TARGETS.http);
        return [response.status, await readText(response.body), response.legs] as const;
      }),
    );
    expect(all.every(([status, text]) => status === 200 && text === HELLO)).toBe(true);
    // squid calls a nonce stale when requests overtake each other, and after 50: one more round each.
    expect(Math.max(...all.map(([, , legs]) => legs))).toBeLessThanOrEqual(3);
    const entries = await mark.entries(100);
    expect(entries.every(({ auth }) => auth?.scheme === 'Digest')).toBe(true);
  });

  it.each([
    ['http', 'direct'],
    ['https', 'direct'],
    ['http', proxies.digest.url],
    ['https', proxies.ntlm.url],
  ] as const)('at apache, %s, by way of %s, a hundred at once', async (scheme, proxy) => {
    const origin = scheme === 'http' ? origins.auth : origins.authTls;
    await using client = await clientOf(proxy === proxies.ntlm.url ? users.alice : PEOPLE.alice, {
      proxy,
      trusted: new URL(origin).hostname,
      originUser: 'alice',
      originPassword: users.alice.password,
    });
    const url = `${origin}/digest/`;
    const get = async () => {
      const response = await client.request(url);
      return [response.status, (await readText(response.body)).length > 0];
    };
    expect(await get()).toEqual([200, true]);
    const all = await Promise.all(Array.from({ length: 100 }, get));
    expect(all).toEqual(Array(100).fill([200, true]));
  });

  it('sends a wrong password once, by the command', async () => {
    const mark = await proxyLog('digest').mark();
    const env = { SALLYPORT_PASSWORD: 'Wrong-Secret9', SALLYPORT_STATE_DIR: '/dev/null/state' };
    const args = ['get', '--proxy', proxies.digest.url, '--user', 'alice', TARGETS.http];
    const { code, stderr } = await sallyport(args, env);
    expect([code, stderr.split('\n').length]).toEqual([4, 2]);
    expect(await mark.entries(2)).toHaveLength(2);
  });
});
