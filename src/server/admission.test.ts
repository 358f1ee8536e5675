import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { RequestHead } from '../http1/head.ts';
import { HeaderList } from '../http1/header-list.ts';
import type { AdmissionRules } from './admission.ts';
import { createAdmission } from './admission.ts';
import { PeerOwners } from './peer-owners.ts';

const TOKEN = 'A2345678901234567890123456789012';
const socket = new Socket();

function basic(password: string, user = 'x'): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function head(...credentials: readonly string[]): RequestHead {
  const fields = credentials.map((value) => ['Proxy-Authorization', value] as const);
  const headers = new HeaderList(fields);
  return { method: 'GET', target: 'http://origin.example/', version: '1.1', headers };
}

/** Whoever comes with a token, right or wrong, must not be looked up. */
class NeverAsked extends PeerOwners {
  override userOf(): never {
    throw new Error('the system was asked');
  }
}

function judge(rules: Partial<AdmissionRules>, ...credentials: readonly string[]) {
  const all = { token: TOKEN, users: new Set('7'), ownUser: '7', owners: new NeverAsked() };
  return createAdmission({ ...all, ...rules }).judge(head(...credentials), socket);
}

describe('createAdmission() with a token', () => {
  it.each([basic(TOKEN), basic(TOKEN, ''), basic(TOKEN).replace('Basic', 'bAsIc')])(
    'lets %s pass',
    (credentials) => {
      expect(judge({}, credentials)).toBeNull();
    },
  );

  it.each([
    basic('wrong'),
    basic(''),
    basic(`${TOKEN}x`),
    basic(TOKEN.slice(1)),
    basic(TOKEN.toLowerCase()),
    'Basic',
    'Basic !',
    `Bearer ${TOKEN}`,
    TOKEN,
    '',
  ])('refuses %s, by a page that tells nothing', async (credentials) => {
    const answer = await judge({}, credentials);
    expect(answer?.status).toBe(407);
    expect(answer?.headers).toContainEqual(['Proxy-Authenticate', 'Basic realm="sallyport"']);
    const text = `${answer?.body} ${JSON.stringify(answer?.headers)}`;
    expect(text).not.toMatch(/uid|port \d|--|127\.0\.0\.1/);
    expect(text).not.toContain(TOKEN);
  });

  it('refuses two tokens, although one is right', async () => {
    expect(await judge({}, basic(TOKEN), basic('wrong'))).not.toBeNull();
    expect(await judge({}, basic(TOKEN), basic(TOKEN))).not.toBeNull();
  });

  it('refuses every token where there is none', async () => {
    for (const credentials of [basic(''), basic('null'), basic(TOKEN)]) {
      expect(await judge({ token: null }, credentials)).toMatchObject({ status: 407 });
    }
  });
});

describe('createAdmission() for pages of our own', () => {
  const ask = (...fields: (readonly [string, string])[]) => {
    const rules = { token: TOKEN, users: new Set('7'), ownUser: '7', owners: new NeverAsked() };
    const headers = new HeaderList(fields);
    return createAdmission(rules).judge(
      { method: 'GET', target: '/status', version: '1.1', headers },
      socket,
    );
  };

  it.each(['Authorization', 'Proxy-Authorization'])('takes the token in %s', (name) => {
    expect(ask([name, basic(TOKEN)])).toBeNull();
  });

  it('asks for it as a web server does', async () => {
    const answer = await ask(['Authorization', basic('wrong')]);
    expect(answer?.status).toBe(401);
    expect(answer?.headers).toContainEqual(['WWW-Authenticate', 'Basic realm="sallyport"']);
  });

  it('takes no Authorization for what is to be forwarded: it is the origin’s', () => {
    const rules = { token: TOKEN, users: new Set('7'), ownUser: '7', owners: new NeverAsked() };
    const headers = new HeaderList([['Authorization', basic(TOKEN)]]);
    const request = {
      method: 'GET',
      target: 'http://origin.example/',
      version: '1.1',
      headers,
    } as const;
    return expect(createAdmission(rules).judge(request, socket)).rejects.toThrow(
      'the system was asked',
    );
  });
});
