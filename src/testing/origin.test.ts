import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createOrigin } from './origin.ts';
import { originBytes } from './origin-pages.ts';

describe('createOrigin()', () => {
  it.each(['bytes', 'chunked'])('serves N known bytes under /%s/N', async (page) => {
    await using origin = await createOrigin();
    const answer = await get(`${origin.url}/${page}/200000`);

    expect(answer.headers.get('content-length')).toBe(page === 'bytes' ? '200000' : null);
    expect(Buffer.from(await answer.arrayBuffer()).equals(originBytes(200_000))).toBe(true);
  });

  it('answers an upload with its digest and length', async () => {
    await using origin = await createOrigin();
    const body = 'hello, origin';
    const answer = await get(`${origin.url}/echo-sha256`, { method: 'PUT', body });

    expect(await answer.json()).toEqual({
      sha256: createHash('sha256').update(body).digest('hex'),
      length: body.length,
    });
  });

  it('leads through N redirects', async () => {
    await using origin = await createOrigin();
    const answer = await get(`${origin.url}/redirect/3`);

    expect(await answer.json()).toEqual({ redirected: true });
    expect(origin.log.map(({ url }) => url)).toEqual([
      '/redirect/3',
      '/redirect/2',
      '/redirect/1',
      '/redirect/0',
    ]);
  });

  it.each([
    ['/status/204', 204],
    ['/status/503', 503],
    ['/status/999', 404],
    ['/bytes/many', 404],
    ['/constructor', 404],
    ['/', 404],
  ])('answers %s with %d', async (path, status) => {
    await using origin = await createOrigin();
    const answer = await get(origin.url + path);
    await answer.arrayBuffer();

    expect(answer.status).toBe(status);
  });

  it('shows the headers of the request', async () => {
    await using origin = await createOrigin();
    const answer = await get(`${origin.url}/headers`, { headers: { 'x-test': 'yes' } });

    expect(await answer.json()).toMatchObject({ 'x-test': 'yes' });
  });

  it('cuts a truncated body in its middle', async () => {
    await using origin = await createOrigin();
    const answer = await get(`${origin.url}/truncated/1000`);

    expect(answer.headers.get('content-length')).toBe('1000');
    await expect(answer.arrayBuffer()).rejects.toThrow('terminated');
  });

  it('asks for NTLM under /ntlm/ alone, and only with users', async () => {
    const users = [{ name: 'alice', password: 'x' }];
    await using guarded = await createOrigin({ users });
    await using open = await createOrigin();
    const statusOf = async (url: string) => {
      const answer = await get(url);
      await answer.arrayBuffer();
      return [answer.status, answer.headers.get('www-authenticate')];
    };

    expect(await statusOf(`${guarded.url}/ntlm/bytes/1`)).toEqual([401, 'NTLM']);
    expect(await statusOf(`${guarded.url}/bytes/1`)).toEqual([200, null]);
    expect(await statusOf(`${open.url}/ntlm/bytes/1`)).toEqual([404, null]);
  });
});

/** One connection per request: none is left when the origin is closed. */
function get(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, headers: { connection: 'close', ...init.headers } });
}
