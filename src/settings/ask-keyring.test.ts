import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AskOptions } from './ask-keyring.ts';
import { askKeyring } from './ask-keyring.ts';
import type { KeyringRequest } from './keyring-process.ts';

const REQUEST: KeyringRequest = {
  action: 'write',
  service: 'sallyport',
  account: 'proxy.test:3128',
  value: 'Alice-Secret1',
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-ask-keyring-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Asks a process that does the given. */
async function ask(does: string, options: AskOptions = {}) {
  const program = join(folder, 'program.cjs');
  await writeFile(program, `process.once('message', (request) => { ${does} });`);
  return askKeyring(REQUEST, { program, platform: 'linux', ...options });
}

/** What the process has to tell comes back as the value. */
const tells = (what: string) => `
  process.send({ kind: 'started' });
  process.send({ kind: 'opened' });
  process.send({ kind: 'value', value: ${what} }, () => process.disconnect());`;

describe('askKeyring()', () => {
  it('hands the request over in a message, not in arguments or environment', async () => {
    const seen = await ask(
      tells('JSON.stringify([request, process.argv.slice(2), process.execArgv, process.env])'),
      { env: { HOME: folder, NODE_OPTIONS: '--require=./signs-on.cjs' } },
    );
    const [request, args, nodeArgs, env] = JSON.parse(seen.value ?? '');
    expect(request).toEqual(REQUEST);
    expect([args, nodeArgs]).toEqual([[], []]);
    expect(env.HOME).toBe(folder);
    expect(env).not.toHaveProperty('NODE_OPTIONS');
    expect(JSON.stringify(env)).not.toContain('Alice-Secret1');
  });

  it('tells a value from none', async () => {
    expect(await ask(tells('"x"'))).toEqual({ value: 'x', found: true });
    expect(await ask(tells('null'))).toEqual({ value: undefined, found: false });
  });

  it.each<[string, string[], AskOptions, RegExp]>([
    ['does not begin', [], { startTimeoutMs: 200 }, /^The keyring does not answer$/],
    ['opens nothing', ['started'], { openTimeoutMs: 50 }, /^The keyring does not answer$/],
    ['never answers', ['started', 'opened'], { answerTimeoutMs: 50 }, /somebody to unlock it$/],
  ])('ends a process that %s', async (_what, kinds, options, words) => {
    const says = kinds.map((kind) => `process.send({ kind: '${kind}' });`).join('');
    await expect(ask(`${says} setInterval(() => undefined, 1000);`, options)).rejects.toMatchObject(
      { code: 'KEYRING_FAILED', message: expect.stringMatching(words) },
    );
  });

  it.each([
    ['crashes', 'process.exit(1);', /does not answer/],
    [
      'lacks the package',
      "process.send({ kind: 'missing' }, () => process.disconnect());",
      /@napi-rs\/keyring is not installed/,
    ],
    [
      'is refused',
      "process.send({ kind: 'failed', reason: 'DBus error' }, () => process.disconnect());",
      /no Secret Service/,
    ],
  ])('says what is the matter when the process %s', async (_what, does, words) => {
    await expect(ask(does)).rejects.toMatchObject({
      code: 'KEYRING_FAILED',
      message: expect.stringMatching(words),
    });
  });
});
