// What costs an account a wrong password, counted by squid: one last leg, whatever else was queued.
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../../src/errors/sallyport-error.ts';
import { finalLegs, proxyLog } from './access-log.ts';
import { clientOf, readText, sallyport } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const { proxies, origins, users } = LAB;
const SMALL = `${origins.http}/small.txt`;
const SECURE = `${origins.https}/small.txt`;

const PEOPLE = [
  ['a wrong password', users.alice.typed, 'wrong'],
  ['a disabled account', users.carol.typed, users.carol.password],
  ['an account that must change its password', users.dave.typed, users.dave.password],
] as const;

describe.skipIf(!lab.available)('a refusal', () => {
  it.each(
    PEOPLE.flatMap(([what, typed, password]) =>
      (['ntlm', 'negotiate', 'spnego', 'ntlmBasic', 'ntlmClose', 'all'] as const).flatMap((proxy) =>
        [SMALL, SECURE].map((url) => ({ what, typed, password, proxy, url })),
      ),
    ),
  )('for $what at $proxy costs one last leg: $url', async ({ typed, password, proxy, url }) => {
    const mark = await proxyLog(proxy).mark();
    const { code, stderr } = await sallyport(
      ['get', '--proxy', proxies[proxy].url, '--user', typed, url],
      {
        SALLYPORT_PASSWORD: password,
      },
    );
    const { port } = proxies[proxy];
    expect(code).toBe(4);
    expect(stderr).toContain(
      `sallyport: proxy.corp.example:${port} refused ${typed}: the password is wrong`,
    );
    expect(stderr).toMatch(/disabled, locked or must change its password.*sent once.*try again/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(finalLegs(await mark.entries(3))).toHaveLength(1);
  });

  it('is told once to 50 who ask at once', async () => {
    const mark = await proxyLog('ntlm').mark();
    await using client = await clientOf(
      { typed: users.bob.typed, password: 'wrong' },
      { proxy: proxies.ntlm.url },
    );
    const codes = await Promise.all(
      Array.from({ length: 50 }, (_, turn) =>
        client.request(turn % 2 === 0 ? SMALL : SECURE).then(
          () => 'ok',
          (error) => (isSallyportError(error) ? error.code : String(error)),
        ),
      ),
    );
    expect(new Set(codes)).toEqual(new Set(['CREDENTIALS_REFUSED']));
    expect(finalLegs(await mark.entries(52))).toHaveLength(1);
  });

  it('does not touch 50 with the right password', async () => {
    for (const proxy of ['ntlm', 'spnego'] as const) {
      await using client = await clientOf(users.bob, { proxy: proxies[proxy].url });
      const texts = await Promise.all(
        Array.from({ length: 50 }, async (_, turn) =>
          readText((await client.request(turn % 2 === 0 ? SMALL : SECURE)).body),
        ),
      );
      expect(new Set(texts)).toEqual(new Set(['hello from origin\n']));
    }
  });

  it('is called a denial once the same identity was accepted', async () => {
    await using client = await clientOf(users.alice, { proxy: proxies.ntlm.url });
    await readText((await client.request(SMALL)).body);
    await expect(client.request(`${origins.http}/bob-only`)).rejects.toMatchObject({
      code: 'PROXY_DENIED',
    });
    expect(await readText((await client.request(SMALL)).body)).toBe('hello from origin\n');
  });

  it('of a blocked page is the answer 403', async () => {
    const { code, stderr } = await sallyport(
      ['get', '--proxy', proxies.ntlm.url, '--user', users.alice.typed, `${origins.http}/blocked`],
      { SALLYPORT_PASSWORD: users.alice.password },
    );
    expect(code).toBe(7);
    expect(stderr).toContain(
      'is 403 Forbidden, by that server or by proxy.corp.example:3129. The address is forbidden',
    );
  });
});
