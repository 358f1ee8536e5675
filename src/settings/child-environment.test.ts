// What a program behind the local proxy finds in its environment, as tables.
import { describe, expect, it } from 'vitest';
import { childEnvironment } from './child-environment.ts';
import { isJavaProgram } from './java-options.ts';

const URL = 'http://x:TOKEN@127.0.0.1:4000';
const linux = (base: NodeJS.ProcessEnv, rest: { bundle?: string; java?: boolean } = {}) =>
  childEnvironment({ proxyUrl: URL, base, platform: 'linux', ...rest });
const windows = (base: NodeJS.ProcessEnv) =>
  childEnvironment({ proxyUrl: URL, base, platform: 'win32' });

describe('childEnvironment()', () => {
  it.each([
    ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'],
    ...['npm_config_proxy', 'npm_config_https_proxy', 'YARN_HTTP_PROXY', 'YARN_HTTPS_PROXY'],
    ...['GLOBAL_AGENT_HTTP_PROXY', 'GLOBAL_AGENT_HTTPS_PROXY', 'PIP_PROXY', 'CARGO_HTTP_PROXY'],
    'SALLYPORT_PROXY',
  ])('names the local proxy in %s, whatever stood there', (name) => {
    expect(linux({ [name]: 'http://other:1' })[name]).toBe(URL);
  });

  it.each([
    ['NODE_USE_ENV_PROXY', '1'],
    ['ELECTRON_GET_USE_PROXY', 'true'],
    ['SALLYPORT_RUN', '127.0.0.1:4000'],
  ])('sets %s to %s', (name, value) => expect(linux({})[name]).toBe(value));

  it('sets no YARN_NO_PROXY, with which yarn 2 does not start', () => {
    expect(Object.keys(linux({})).filter((name) => /^YARN_/.test(name))).toHaveLength(2);
  });

  it.each<[string, NodeJS.ProcessEnv, string]>([
    ['loopback, always', {}, 'localhost,127.0.0.1,::1'],
    ['names and suffixes', { NO_PROXY: 'a.example, .b.example' }, 'a.example,.b.example'],
    ['lower case first', { NO_PROXY: 'a', no_proxy: 'b' }, '::1,b'],
    ['no pattern, range or port', { NO_PROXY: '*.a 10.0.0.0/8 b:80 * c' }, '::1,c'],
    ['nothing twice', { NO_PROXY: 'localhost,a,a' }, 'localhost,127.0.0.1,::1,a'],
  ])('has in NO_PROXY %s', (_what, base, wanted) => {
    const env = linux(base);
    expect(env['NO_PROXY']).toMatch(new RegExp(`${wanted.replaceAll('.', '\\.')}$`));
    for (const name of ['no_proxy', 'npm_config_noproxy', 'GLOBAL_AGENT_NO_PROXY']) {
      expect(env[name]).toBe(env['NO_PROXY']);
    }
  });

  it('takes out passwords, the names that want them, and what stands before the @ of other proxies', () => {
    const env = linux({
      SALLYPORT_PASSWORD: 's3cret',
      SALLYPORT_ORIGIN_PASSWORD: 's3cret',
      SALLYPORT_USER: 'CORP\\alice',
      HTTPS_PROXY: 'http://alice:s3cret@proxy:1',
      FTP_PROXY: 'http://alice:s3cret@ftp:1/',
      GOPHER_PROXY: 'http://alice:s3/c@ret@gopher:1',
      GIT_CONFIG_COUNT: '3',
      GIT_CONFIG_KEY_0: 'http.proxy',
      GIT_CONFIG_VALUE_0: 'http://alice:s3cret@proxy:1',
      GIT_CONFIG_KEY_1: 'http.https://code.example/.proxy',
      GIT_CONFIG_VALUE_1: 'http://alice:s3cret@other:1',
      GIT_CONFIG_KEY_2: 'user.email',
      GIT_CONFIG_VALUE_2: 'a@b.example',
      rsync_proxy: 'alice:s3c@ret@rsync:1',
      NPM_CONFIG_HTTPS_PROXY: 'http://alice:s3cret@proxy:1',
      MAIL: 'a@b.example',
    });
    expect(JSON.stringify(env)).not.toMatch(/s3c|alice/);
    expect([0, 1, 2].map((at) => env[`GIT_CONFIG_VALUE_${at}`])).toEqual([
      'http://proxy:1',
      'http://other:1',
      'a@b.example',
    ]);
    expect(env['GOPHER_PROXY']).toBe('http://gopher:1');
    expect([env['FTP_PROXY'], env['rsync_proxy'], env['MAIL']]).toEqual([
      'http://ftp:1/',
      'rsync:1',
      'a@b.example',
    ]);
  });

  it.each(['NPM_CONFIG_PROXY', 'npm_config_https-proxy', 'Npm_Config_NoProxy'])(
    'leaves no second spelling of npm’s: %s',
    (name) => expect(linux({ [name]: 'x' })).not.toHaveProperty([name]),
  );

  it('has each name once on Windows, where case does not tell them apart', () => {
    const env = windows({ http_proxy: 'a', No_Proxy: 'b', sallyport_password: 'c', Path: 'd' });
    const names = Object.keys(env).map((name) => name.toUpperCase());
    expect(new Set(names).size).toBe(names.length);
    expect(env).toMatchObject({ HTTP_PROXY: URL, Path: 'd' });
    expect(names).not.toContain('SALLYPORT_PASSWORD');
  });

  it.each<[string | undefined, NodeJS.ProcessEnv]>([
    [undefined, { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'http.proxy', GIT_CONFIG_VALUE_0: URL }],
    ['2', { GIT_CONFIG_COUNT: '3', GIT_CONFIG_KEY_2: 'http.proxy', GIT_CONFIG_VALUE_2: URL }],
    ['many', { GIT_CONFIG_COUNT: 'many' }],
  ])('adds to a GIT_CONFIG_COUNT of %s', (count, wanted) => {
    const env = linux(count === undefined ? {} : { GIT_CONFIG_COUNT: count });
    const found = Object.entries(env).filter(([name]) => name.startsWith('GIT_CONFIG_'));
    expect(Object.fromEntries(found)).toEqual(wanted);
  });
});

describe('GIT_CONFIG_COUNT', () => {
  it('does not grow with each time a shell is told', () => {
    const once = linux({ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name' });
    expect(linux(once)).toEqual(once);
    expect(once['GIT_CONFIG_COUNT']).toBe('2');
  });
});

describe('the certificate variables', () => {
  const ALL = [
    ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
    ...['PIP_CERT', 'GIT_SSL_CAINFO', 'CARGO_HTTP_CAINFO', 'AWS_CA_BUNDLE'],
  ];
  const ours = (base: NodeJS.ProcessEnv) =>
    Object.entries(linux(base, { bundle: '/b.pem' }))
      .filter(([, value]) => value === '/b.pem')
      .map(([name]) => name);

  it('are not there without a bundle', () => {
    expect(Object.keys(linux({})).filter((name) => ALL.includes(name))).toEqual([]);
  });

  it('all name the bundle', () => expect(ours({})).toEqual(ALL));

  it.each<[string, string[]]>([
    ['NODE_EXTRA_CA_CERTS', ['NODE_EXTRA_CA_CERTS']],
    ['SSL_CERT_FILE', ['SSL_CERT_FILE', 'CURL_CA_BUNDLE']],
    ['REQUESTS_CA_BUNDLE', ['REQUESTS_CA_BUNDLE', 'PIP_CERT', 'AWS_CA_BUNDLE']],
    ['CURL_CA_BUNDLE', ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'PIP_CERT']],
    ['GIT_SSL_CAINFO', ['GIT_SSL_CAINFO']],
  ])('%s of the user stands, against ours that would outrank it, too', (name, without) => {
    const base = { [name]: '/user.pem' };
    expect(ours(base)).toEqual(ALL.filter((one) => !without.includes(one)));
    expect(linux(base, { bundle: '/b.pem' })[name]).toBe('/user.pem');
  });
});

describe('JAVA_TOOL_OPTIONS', () => {
  it('is left alone unless asked for', () => {
    expect(linux({ JAVA_TOOL_OPTIONS: '-Xmx1g' })['JAVA_TOOL_OPTIONS']).toBe('-Xmx1g');
  });

  it('is added to, without the token', () => {
    const base = { JAVA_TOOL_OPTIONS: '-Xmx1g', NO_PROXY: '.corp.example' };
    expect(linux(base, { java: true })['JAVA_TOOL_OPTIONS']).toBe(
      '-Xmx1g -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=4000 -Dhttps.proxyHost=127.0.0.1 ' +
        '-Dhttps.proxyPort=4000 -Dhttp.nonProxyHosts=localhost|127.0.0.1|[::1]|*.corp.example',
    );
  });

  it.each([
    ['java', true],
    ['/usr/lib/jvm/bin/java', true],
    ['./gradlew', true],
    ['C:\\tools\\Maven\\bin\\mvn.CMD', true],
    ['javascript', false],
    ['bash', false],
  ])('is meant for %s: %s', (command, wanted) => expect(isJavaProgram(command)).toBe(wanted));
});
