// Whose session a connection carries: two clients through one pool, towards an origin that signs connections on by NTLM.
import { describe, expect, it } from 'vitest';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { ClientTie } from '../../src/upstream/client-tie.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import type { Send } from '../identity/origin-legs.ts';
import { NaivePool, signOnToOrigin } from '../identity/origin-legs.ts';
import { ALICE, CERTIFICATES, clientOfAlice, readAll } from './network.ts';
import { RawClient, session, signOn } from './raw-client.ts';

const BOB = { name: 'bob', domain: 'CORP', password: 'Bob-Secret1' };
const bobsSession = () => session('ntlm', { user: 'CORP\\bob', password: BOB.password });

const stage = async (tls: object = {}) => ({
  proxy: await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] }),
  origin: await createOrigin({ users: [BOB], ...tls }),
});

/** As a client of a local proxy sends: its own `Authorization`, nothing of ours. */
function sendThrough(upstream: Upstream, url: string, tie?: ClientTie): Send {
  return async (headers) => {
    const answer = await upstream.request(url, { headers, ...(tie === undefined ? {} : { tie }) });
    await readAll(answer.body);
    return { status: answer.status, challenge: answer.headers['www-authenticate'] };
  };
}

describe('two clients through one pool', () => {
  it('share what an origin gave one of them, where the pool is naive', async () => {
    const { proxy, origin } = await stage();
    const url = `${origin.url}/ntlm/bytes/3`;
    await using connection = await RawClient.to(proxy);
    using alice = await session('ntlm');
    await signOn(connection, alice, ['GET', `${origin.url}/bytes/1`]);
    const pool = new NaivePool([connection]);
    using bob = await bobsSession();

    expect(await signOnToOrigin(pool.sendTo(url), bob)).toMatchObject({ status: 200 });
    // The leak: another client, no credentials, and bob's page.
    expect(await pool.sendTo(url)([])).toMatchObject({ status: 200 });
    expect(origin.log.at(-1)?.user).toBe('CORP\\bob');
    await Promise.all([proxy.close(), origin.close()]);
  });

  it.each([
    ['forwarded', {}, {}],
    ['tunnelled', { tls: CERTIFICATES }, {}],
    ['directly', {}, { proxy: 'direct' }],
  ])('do not, %s: the one who signed on goes on, the other is asked', async (_, tls, route) => {
    const { proxy, origin } = await stage(tls);
    const url = `${origin.url}/ntlm/bytes/3`;
    await using upstream = await clientOfAlice({ proxy: proxy.url, ...route });
    using tieOfBob = new ClientTie();
    using tieOfOther = new ClientTie();
    using bob = await bobsSession();
    const asBob = sendThrough(upstream, url, tieOfBob);

    expect(await asBob([])).toMatchObject({ status: 401 });
    expect(await signOnToOrigin(asBob, bob)).toMatchObject({ status: 200 });
    expect(await sendThrough(upstream, url, tieOfOther)([])).toMatchObject({ status: 401 });
    expect(await sendThrough(upstream, url)([])).toMatchObject({ status: 401 });
    expect(await asBob([])).toMatchObject({ status: 200 });
    expect(origin.log.map(({ user }) => user).filter((user) => user !== null)).toEqual(
      Array(2).fill('CORP\\bob'),
    );
    await Promise.all([proxy.close(), origin.close()]);
  });

  it('and without a tie nobody goes on, whoever comes', async () => {
    const { proxy, origin } = await stage();
    const url = `${origin.url}/ntlm/bytes/3`;
    await using upstream = await clientOfAlice({ proxy: proxy.url });
    using bob = await bobsSession();

    expect(await signOnToOrigin(sendThrough(upstream, url), bob)).toMatchObject({ status: 401 });
    expect(await sendThrough(upstream, url)([])).toMatchObject({ status: 401 });
    await Promise.all([proxy.close(), origin.close()]);
  });
});

describe('a tie', () => {
  it('ends its connections with its client, and keeps the others', async () => {
    const { proxy, origin } = await stage();
    const url = `${origin.url}/ntlm/bytes/3`;
    await using upstream = await clientOfAlice({ proxy: proxy.url });
    const tie = new ClientTie();
    using bob = await bobsSession();
    await signOnToOrigin(sendThrough(upstream, url, tie), bob);
    const before = proxy.counts().connections;
    tie.close();

    expect(await sendThrough(upstream, url, tie)([])).toMatchObject({ status: 401 });
    expect(proxy.counts().connections).toBe(before + 1);
    await Promise.all([proxy.close(), origin.close()]);
  });

  it('is of one upstream: another, of another user, gets nothing of it', async () => {
    const { proxy, origin } = await stage();
    const url = `${origin.url}/ntlm/bytes/3`;
    const trusted = { trusted: '127.0.0.1', proxy: 'direct' };
    const bobs = { originUser: 'CORP\\bob', originPassword: BOB.password };
    await using first = await clientOfAlice({ ...trusted, ...bobs });
    await using second = await clientOfAlice({ proxy: 'direct' });
    using tie = new ClientTie();
    expect(await sendThrough(first, url, tie)([])).toMatchObject({ status: 200 });

    expect(await sendThrough(second, url, tie)([])).toMatchObject({ status: 401 });
    await Promise.all([proxy.close(), origin.close()]);
  });

  it('keeps the engine’s own sign-on to an origin, too: its legs are paid once', async () => {
    const { proxy, origin } = await stage();
    const url = `${origin.url}/ntlm/bytes/3`;
    await using upstream = await clientOfAlice({
      proxy: proxy.url,
      ...{ trusted: '127.0.0.1', originUser: 'CORP\\bob', originPassword: BOB.password },
    });
    using tie = new ClientTie();
    const legs: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const answer = await upstream.request(url, { tie });
      await readAll(answer.body);
      legs.push(answer.legs);
    }

    expect(legs.slice(1)).toEqual([1, 1]);
    await Promise.all([proxy.close(), origin.close()]);
  });
});

describe('a 407 that is not of the proxy', () => {
  it.each([
    ['of an origin, directly', 'direct', {}],
    ['of an origin, in a tunnel', undefined, { tls: CERTIFICATES }],
  ] as const)('%s is its answer: nothing is sent', async (_, route, tls) => {
    const { proxy, origin } = await stage(tls);
    await using upstream = await clientOfAlice({ proxy: route ?? proxy.url });
    const answer = await upstream.request(`${origin.url}/status/407`);
    await readAll(answer.body);

    expect(answer.status).toBe(407);
    expect(origin.log).toHaveLength(1);
    await Promise.all([proxy.close(), origin.close()]);
  });
});
