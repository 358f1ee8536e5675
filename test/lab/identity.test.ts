// Two clients through one pool, squid between them and an origin that signs connections on: what a naive pool hands on, and
// what ours does not.
import { describe, expect, it } from 'vitest';
import { ClientTie } from '../../src/upstream/client-tie.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import { RawClient, session, signOn } from '../embedded/raw-client.ts';
import type { Send } from '../identity/origin-legs.ts';
import { NaivePool, signOnToOrigin } from '../identity/origin-legs.ts';
import { originLog } from './access-log.ts';
import { clientOf, readText } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const { proxies, origins, users } = LAB;
const URL_OF_ORIGIN = `${origins.ntlm}/small.txt`;
const SPN = `HTTP/${new URL(origins.ntlm).hostname}`;
const bobsSession = () =>
  session('ntlm', { user: users.bob.typed, password: users.bob.password, spn: SPN });

function sendThrough(upstream: Upstream, tie: ClientTie): Send {
  return async (headers) => {
    const answer = await upstream.request(URL_OF_ORIGIN, { headers, tie });
    await readText(answer.body);
    return { status: answer.status, challenge: ntlmOf(answer.headers['www-authenticate']) };
  };
}

/** Lines of one name are joined by a comma. */
function ntlmOf(field: string | undefined): string | undefined {
  return field?.split(', ').find((offer) => offer.startsWith('NTLM'));
}

describe.skipIf(!lab.available)('two clients through squid', () => {
  it('share the session of one of them, where the pool is naive', async () => {
    const { hostname: host, port } = new URL(proxies.ntlm.url);
    await using connection = await RawClient.to({ host, port: Number(port) });
    using alice = await session('ntlm', { spn: `HTTP/${host}` });
    expect(
      (await signOn(connection, alice, ['GET', `${origins.http}/small.txt`])).head.status,
    ).toBe(200);
    const pool = new NaivePool([connection]);
    using bob = await bobsSession();
    expect(await signOnToOrigin(pool.sendTo(URL_OF_ORIGIN), bob)).toMatchObject({ status: 200 });
    const mark = await originLog('ntlm').mark();

    expect(await pool.sendTo(URL_OF_ORIGIN)([])).toMatchObject({ status: 200 });
    expect((await mark.entries(1)).at(-1)?.user).toMatch(/bob$/);
  });

  it('do not through ours', async () => {
    await using upstream = await clientOf(users.alice, { proxy: proxies.ntlm.url });
    using tieOfBob = new ClientTie();
    using tieOfOther = new ClientTie();
    using bob = await bobsSession();
    const asBob = sendThrough(upstream, tieOfBob);

    expect(await asBob([])).toMatchObject({ status: 401 });
    expect(await signOnToOrigin(asBob, bob)).toMatchObject({ status: 200 });
    expect(await sendThrough(upstream, tieOfOther)([])).toMatchObject({ status: 401 });
    expect(await asBob([])).toMatchObject({ status: 200 });
  });
});
