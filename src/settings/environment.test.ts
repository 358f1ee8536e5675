import { describe, expect, it } from 'vitest';
import { readEnvironment } from './environment.ts';

/** As `process.env` behaves on Windows: one variable in any case, keys as they were set. */
function windowsEnvironment(variables: Record<string, string>): NodeJS.ProcessEnv {
  return new Proxy(variables, {
    get: (target, name) =>
      Object.entries(target).find(([key]) => key.toLowerCase() === String(name).toLowerCase())?.[1],
  });
}

describe('readEnvironment()', () => {
  it('finds nothing in an empty environment', () => {
    const { proxies, ...others } = readEnvironment({});
    expect(new Set([...Object.values(proxies), ...Object.values(others)])).toEqual(
      new Set([undefined]),
    );
  });

  it.each([
    ['httpProxy', 'http_proxy'],
    ['httpsProxy', 'https_proxy'],
    ['allProxy', 'all_proxy'],
    ['noProxy', 'no_proxy'],
  ] as const)('gives %s under the name it was found by, lower case first', (key, lower) => {
    const upper = lower.toUpperCase();
    const read = (env: NodeJS.ProcessEnv) => readEnvironment(env).proxies[key];
    expect(read({ [lower]: 'a', [upper]: 'b' })).toEqual({ name: lower, value: 'a' });
    expect(read({ [upper]: 'b' })).toEqual({ name: upper, value: 'b' });
    expect(read({ [lower]: '', [upper]: 'b' })).toEqual({ name: upper, value: 'b' });
    expect(read({ [lower]: '', [upper]: ' ' })).toBeUndefined();
    expect(read({ [lower]: ' a \r' })).toEqual({ name: lower, value: 'a' });
  });

  it('gives SALLYPORT_PROXY and SALLYPORT_NO_PROXY, in upper case only', () => {
    expect(
      readEnvironment({ SALLYPORT_PROXY: 'a', SALLYPORT_NO_PROXY: 'b', sallyport_proxy: 'c' })
        .proxies,
    ).toMatchObject({
      sallyportProxy: { name: 'SALLYPORT_PROXY', value: 'a' },
      sallyportNoProxy: { name: 'SALLYPORT_NO_PROXY', value: 'b' },
    });
  });

  it('passes over HTTP_PROXY in a CGI program, which any client can set', () => {
    const read = (env: NodeJS.ProcessEnv) =>
      readEnvironment({ REQUEST_METHOD: 'GET', ...env }).proxies;
    expect(read({ HTTP_PROXY: 'evil' }).httpProxy).toBeUndefined();
    expect(read({ http_proxy: 'a', HTTP_PROXY: 'evil' }).httpProxy?.value).toBe('a');
    expect(read({ HTTPS_PROXY: 'b' }).httpsProxy?.value).toBe('b');
  });

  it('reports the spelling in use when the environment ignores case', () => {
    const { proxies } = readEnvironment(windowsEnvironment({ HTTPS_PROXY: 'a', No_Proxy: 'b' }));
    expect(proxies.httpsProxy).toEqual({ name: 'HTTPS_PROXY', value: 'a' });
    expect(proxies.noProxy).toEqual({ name: 'No_Proxy', value: 'b' });
  });

  it('passes over HTTP_PROXY in a CGI program when the environment ignores case', () => {
    const env = windowsEnvironment({ HTTP_PROXY: 'evil', REQUEST_METHOD: 'GET' });
    expect(readEnvironment(env).proxies.httpProxy).toBeUndefined();
  });

  it('gives the options', () => {
    expect(
      readEnvironment({
        SALLYPORT_AUTH: 'negotiate, ntlm',
        SALLYPORT_USER: 'CORP\\alice',
        SALLYPORT_ORIGIN_USER: 'bob',
        SALLYPORT_CA: '/ca.pem',
        SALLYPORT_CONFIG: '/config.json',
        SALLYPORT_SPN: 'HTTP/proxy',
        SALLYPORT_TRUSTED: 'a.test b.test',
      }),
    ).toMatchObject({
      auth: ['negotiate', 'ntlm'],
      user: 'CORP\\alice',
      originUser: 'bob',
      ca: '/ca.pem',
      config: '/config.json',
      spn: 'HTTP/proxy',
      trusted: ['a.test', 'b.test'],
    });
  });

  it('keeps passwords as they are, and hidden', () => {
    const environment = readEnvironment({
      SALLYPORT_PASSWORD: ' hidden ',
      SALLYPORT_ORIGIN_PASSWORD: 'hidden too',
    });
    expect(environment.password?.reveal()).toBe(' hidden ');
    expect(environment.originPassword?.reveal()).toBe('hidden too');
    expect(JSON.stringify(environment)).not.toContain('hidden');
    expect(readEnvironment({ SALLYPORT_PASSWORD: '' }).password).toBeUndefined();
  });

  it.each([
    ['1', true],
    ['true', true],
    ['TRUE', true],
    ['0', false],
    ['false', false],
    ['', undefined],
  ])('reads SALLYPORT_ALLOW_BASIC_HTTP=%j as %s', (value, expected) => {
    expect(readEnvironment({ SALLYPORT_ALLOW_BASIC_HTTP: value }).allowBasicHttp).toBe(expected);
  });

  it('refuses SALLYPORT_ALLOW_BASIC_HTTP when it is neither yes nor no', () => {
    expect(() => readEnvironment({ SALLYPORT_ALLOW_BASIC_HTTP: 'maybe' })).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('SALLYPORT_ALLOW_BASIC_HTTP'),
      }),
    );
  });
});
