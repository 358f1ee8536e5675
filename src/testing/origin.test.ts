import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, RequestOptions } from 'node:http';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createOrigin } from './origin.ts';
import { originBytes } from './origin-pages.ts';

describe('createOrigin()', () => {
  it.each(['bytes', 'chunked'])('serves N known bytes under /%s/N', async (page) => {
    await using origin = await createOrigin();
    const answer = await get(`${origin.url}/${page}/200000`);

    expect(answer.headers['content-length']).toBe(page === 'bytes' ? '200000' : undefined);
    expect(answer.body.equals(originBytes(200_000))).toBe(true);
  });

  it('answers an upload with its digest and length', async () => {
    await using origin = await createOrigin();
    const body = 'hello, origin';
    const answer = await get(`${origin.url}/echo-sha256`, { method: 'PUT' }, body);

    expect(JSON.parse(answer.body.toString())).toEqual({
      sha256: createHash('sha256').update(body).digest('hex'),
      length: body.length,
    });
  });

  it('leads through N redirects', async () => {
    await using origin = await createOrigin();
    const steps: string[] = [];
    let answer = await get(`${origin.url}/redirect/3`);
    for (let { location } = answer.headers; location; { location } = answer.headers) {
      steps.push(`${answer.status} ${location}`);
      answer = await get(origin.url + location);
    }

    expect(steps).toEqual(['302 /redirect/2', '302 /redirect/1', '302 /redirect/0']);
    expect(JSON.parse(answer.body.toString())).toEqual({ redirected: true });
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

    expect(answer.status).toBe(status);
  });

  it('shows the headers of the request', async () => {
    await using origin = await createOrigin();
    const answer = await get(`${origin.url}/headers`, { headers: { 'x-test': 'yes' } });

    expect(JSON.parse(answer.body.toString())).toMatchObject({ 'x-test': 'yes' });
  });

  it('cuts a truncated body in its middle', async () => {
    await using origin = await createOrigin();

    await expect(get(`${origin.url}/truncated/1000`)).rejects.toMatchObject({
      code: 'ECONNRESET',
      headers: { 'content-length': '1000' },
      received: 500,
    });
  });

  it('asks for NTLM under /ntlm/ alone, and only with users', async () => {
    const users = [{ name: 'alice', password: 'x' }];
    await using guarded = await createOrigin({ users });
    await using open = await createOrigin();
    const statusOf = async (url: string) => {
      const answer = await get(url);
      return [answer.status, answer.headers['www-authenticate']];
    };

    expect(await statusOf(`${guarded.url}/ntlm/bytes/1`)).toEqual([401, 'NTLM']);
    expect(await statusOf(`${guarded.url}/bytes/1`)).toEqual([200, undefined]);
    expect(await statusOf(`${open.url}/ntlm/bytes/1`)).toEqual([404, undefined]);
  });
});

interface Page {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One connection per request: none is left when the origin is closed. The built-in fetch leaves promises behind. */
function get(url: string, options: RequestOptions = {}, upload = ''): Promise<Page> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { agent: false, ...options }, (answer) => {
      const { statusCode: status, headers } = answer;
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () => resolve({ status, headers, body: Buffer.concat(pieces) }));
      answer.on('error', (error) => {
        const received = Buffer.concat(pieces).length;
        reject(Object.assign(error, { headers, received }));
      });
    });
    asking.on('error', reject).end(upload);
  });
}
