import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SallyportError } from '../errors/sallyport-error.ts';
import { readConfiguration } from './config-file.ts';

let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-config-'));
  path = join(folder, 'config.json');
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function read(content: string | Uint8Array) {
  await writeFile(path, content);
  return await readConfiguration(path, {}, 'linux');
}

async function failureOf(promise: Promise<unknown>): Promise<SallyportError> {
  const error = await promise.then(
    () => undefined,
    (reason: SallyportError) => reason,
  );
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
  return error as SallyportError;
}

describe('readConfiguration()', () => {
  it('gives every key, and the path', async () => {
    const written = {
      proxy: 'http://proxy:8080',
      noProxy: '.corp.example',
      auth: ['negotiate', 'ntlm'],
      user: 'CORP\\alice',
      originUser: 'bob',
      ca: join(folder, 'ca.pem'),
      spn: 'HTTP/proxy',
      allowBasicHttp: true,
      trusted: ['a.test'],
      trustedProxies: ['proxy:8080'],
      delegate: ['a.test'],
      noAuth: ['b.test'],
      systemSignOn: false,
      allowNtlm: false,
      spnCanonical: 'never',
      securityLibrary: 'libgssapi.so.3',
      systemProxy: false,
      systemCa: false,
      serve: {
        listen: '8888',
        allow: ['172.17.0.0/16'],
        sameUser: true,
        allowUser: ['_apt'],
        token: false,
        warm: 4,
        log: join(folder, 'serve.log'),
        logLevel: 'debug',
        logFormat: 'json',
        grace: 30,
      },
    };
    expect(await read(JSON.stringify(written))).toEqual({ path, ...written });
  });

  it('takes lists as strings with commas too', async () => {
    expect(await read('{"auth": "negotiate, ntlm", "trusted": "a.test b.test"}')).toMatchObject({
      auth: ['negotiate', 'ntlm'],
      trusted: ['a.test', 'b.test'],
    });
  });

  it('takes a relative ca from the folder of the file', async () => {
    expect((await read('{"ca": "certs/ca.pem"}'))?.ca).toBe(join(folder, 'certs', 'ca.pem'));
  });

  it('tolerates a byte order mark', async () => {
    expect((await read('\ufeff{"user": "alice"}'))?.user).toBe('alice');
  });

  it('takes an empty object', async () => {
    expect(await read('{}')).toEqual({ path });
  });

  it('reads the file of the user when no file is named', async () => {
    const home = join(folder, 'home');
    await mkdir(join(home, '.config', 'sallyport'), { recursive: true });
    const own = join(home, '.config', 'sallyport', 'config.json');
    await writeFile(own, '{"user": "alice"}');
    expect(await readConfiguration(undefined, { HOME: home }, 'linux')).toMatchObject({
      user: 'alice',
    });
    await read('{"user": "bob"}');
    expect((await readConfiguration(path, { HOME: home }, 'linux'))?.user).toBe('bob');
  });

  it('gives undefined when the user has no file', async () => {
    const absent = join(folder, 'absent');
    expect(await readConfiguration(undefined, { HOME: absent }, 'linux')).toBeUndefined();
    await writeFile(path, '');
    expect(await readConfiguration(undefined, { HOME: path }, 'linux')).toBeUndefined();
    expect(await readConfiguration(undefined, {}, 'linux')).toBeUndefined();
  });

  it('fails when a named file is not there or is no file', async () => {
    const absent = join(folder, 'absent.json');
    const error = await failureOf(readConfiguration(absent, {}, 'linux'));
    expect(error).toMatchObject({
      message: `${absent} cannot be read (ENOENT)`,
      hint: expect.stringContaining('--config'),
    });
    const ofFolder = await failureOf(readConfiguration(folder, {}, 'linux'));
    expect(ofFolder.message).toBe(`${folder} cannot be read (EISDIR)`);
  });

  it('fails when the file of the user is there but cannot be read', async () => {
    const home = join(folder, 'broken');
    await mkdir(join(home, '.config', 'sallyport', 'config.json'), { recursive: true });
    await failureOf(readConfiguration(undefined, { HOME: home }, 'linux'));
  });

  it('names file, line and column of a syntax error without quoting the text', async () => {
    const error = await failureOf(read('{\n  "proxy": "http://alice:hidden@proxy",\n}\n'));
    expect(error.message).toContain(`${path}:3:1 `);
    expect(JSON.stringify(error)).not.toContain('hidden');
  });

  it.each([
    ['{"proxy": "http://p", "user": "CORP\\alice"}', ':1:31 '],
    ['{"user": "CORP\\boris"}', ':1:2: "user" has a control character'],
    ['{"ca": "C:\\temp\\\\ca.pem"}', ':1:2: "ca" has a control character'],
  ])('says of %s that a backslash is written twice', async (text, expected) => {
    const { message, hint } = await failureOf(read(text));
    expect(message).toContain(path + expected);
    expect(hint).toBe('In JSON a backslash is written twice: "CORP\\\\alice".');
  });

  it('takes two backslashes for one, and lines in a list', async () => {
    const text = '{"user": "CORP\\\\boris", "noProxy": "a.test\\nb.test"}';
    expect(await read(text)).toMatchObject({ user: 'CORP\\boris', noProxy: 'a.test\nb.test' });
  });

  it('says nothing of backslashes where another thing is wrong', async () => {
    expect((await failureOf(read('{"user": "CORP\\\\a",}'))).hint).toContain('double quotes');
  });

  it.each([
    ['{"proxy": 1}', '"proxy" is not a string'],
    ['{"noProxy": ["a"]}', '"noProxy" is not a string'],
    ['{"user": null}', '"user" is not a string'],
    ['{"ca": {}}', '"ca" is not a string'],
    ['{"auth": 1}', '"auth" is neither an array'],
    ['{"auth": ["ntlm", 1]}', '"auth" is neither an array'],
    ['{"trusted": true}', '"trusted" is neither an array'],
    ['{"allowBasicHttp": "true"}', '"allowBasicHttp" is neither true nor false'],
    ['[]', 'does not hold a JSON object'],
    ['null', 'does not hold a JSON object'],
    ['"proxy"', 'does not hold a JSON object'],
    ['', ':1:1 '],
  ])('refuses %j with the file and the key', async (text, expected) => {
    const { message } = await failureOf(read(text));
    expect(message).toContain(path);
    expect(message).toContain(expected);
  });

  it.each([
    ['{\n  "serve": {\n    "listen": 3128\n  }\n}', ':3:5: "serve.listen" is not a string'],
    ['{"serve": []}', ':1:2: "serve" is not an object'],
    ['{"serve": {"warm": 65}}', ':1:12: "serve.warm" is no whole number from 0 to 64'],
    ['{"serve": {"warm": 1.5}}', ':1:12: "serve.warm" is no whole number'],
    ['{"serve": {"grace": -1}}', ':1:12: "serve.grace" is no whole number from 0 to 86400'],
    [
      '{"serve": {"logLevel": "trace"}}',
      '"serve.logLevel" is none of "error", "warn", "info", "debug"',
    ],
    ['{"serve": {"log": ""}}', '"serve.log" is empty'],
    ['{"proxy": "direct",\n "proxy": "direct"}', ':2:2: "proxy" stands there twice'],
    ['{"serve": {"log": "a", "log": "b"}}', ':1:24: "serve.log" stands there twice'],
  ])('refuses %j with line, column and key', async (text, expected) => {
    expect((await failureOf(read(text))).message).toContain(
      path + (expected.startsWith(':') ? '' : ':1:12: ') + expected,
    );
  });

  it.each([
    ['{"no_proxy": ""}', 'Did you mean "noProxy"? Known keys are proxy, '],
    ['{"prxoy": ""}', 'Did you mean "proxy"? '],
    ['{"serve": {"port": 1}}', 'Known keys are listen, '],
    ['{"serve": {"loglevel": "info"}}', 'Did you mean "logLevel"? Known keys are listen, '],
    ['{"listne": "3128"}', 'Known keys are proxy, '],
    ['{"listen": "3128"}', 'It belongs into "serve": { ... }. Known'],
  ])('says of %s which key may be meant', async (text, hint) => {
    expect((await failureOf(read(text))).hint).toMatch(
      new RegExp(`^${hint.replaceAll(/[?.{}]/g, '[$&]')}`),
    );
  });

  it.each(['password', 'Password', 'originPassword', 'proxy_passwd', 'passphrase', 'token'])(
    'refuses the key %s and says where passwords go',
    async (key) => {
      const error = await failureOf(read(JSON.stringify({ [key]: 'hidden' })));
      expect(error.message).toContain(`"${key}"`);
      expect(error.hint).toContain('SALLYPORT_PASSWORD');
      expect(JSON.stringify(error)).not.toContain('hidden');
    },
  );

  it.each(['Proxy', 'no_proxy', '__proto__', 'constructor', 'path'])(
    'refuses the unknown key %s and lists the known ones',
    async (key) => {
      const error = await failureOf(read(`{"${key}": "hidden"}`));
      expect(error.message).toContain(`"${key}"`);
      expect(error.hint).toContain('noProxy, auth');
      expect(JSON.stringify(error)).not.toContain('hidden');
    },
  );

  it('reads a mebibyte and refuses one byte more', async () => {
    const padding = ' '.repeat(1024 * 1024 - 2);
    expect(await read(`{}${padding}`)).toEqual({ path });
    expect((await failureOf(read(`{} ${padding}`))).message).toContain('larger than 1 MiB');
  });

  it('refuses a file that is not UTF-8', async () => {
    const error = await failureOf(read(Buffer.from('\ufeff{}', 'utf16le')));
    expect(error.hint).toContain('UTF-8');
  });
});
