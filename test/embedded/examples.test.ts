// Every example of README, docs/ and TSDoc: it compiles against the built package, and runs against the embedded proxy and
// origin in place of the hosts it names. The titles say where it stands. `npm run check` runs this file, too.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CorporateProxy, Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin, originBytes } from '../../src/testing/index.ts';
import type { Example } from '../docs/examples.ts';
import { codeExamples, commandExamples } from '../docs/examples.ts';
import { compileExamples, placeOf, runCommandLine, runExample } from '../docs/try-examples.ts';
import { ALICE, CA_FILE, CERTIFICATES, SCRATCH } from './network.ts';

const CODE = codeExamples().map((example) => ({ place: placeOf(example), example }));
const COMMANDS = commandExamples().map((example) => ({ place: placeOf(example), example }));
const BYTES = 1000;
const DIGEST = createHash('sha256').update(originBytes(BYTES)).digest('hex');
/** A misspelt name, an option that does not exist. */
const BAD: Example = {
  file: 'bad.md',
  line: 7,
  text: "import { conect, request } from 'sallyport';\nconect;\nawait request('', { prxy: '' });\n",
};

let proxy: CorporateProxy;
let https: Origin;
let http: Origin;
let messages: readonly string[] = [];

beforeAll(async () => {
  proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
  https = await createOrigin({ tls: CERTIFICATES });
  http = await createOrigin();
  messages = await compileExamples([...CODE.map(({ example }) => example), BAD]);
}, 60_000);

afterAll(() => Promise.all([proxy, https, http].map((server) => server.close())));

/** Hosts of the pages become those that are here. */
function rewrite(text: string): string {
  return text
    .replaceAll('http://proxy.corp.example:3128', proxy.url)
    .replaceAll(/https:\/\/[\w.:]+(?:example|\.com)\b[^\s'"`]*/g, `${https.url}/bytes/${BYTES}`)
    .replaceAll(/http:\/\/[\w.]+(?:example|\.com)\b[^\s'"`]*/g, `${http.url}/bytes/${BYTES}`)
    .replaceAll('example.com:443', `${https.host}:${https.port}`);
}

/** Who has nobody in the example is alice; where no proxy stands in it, it is this one. */
function environmentFor({ text }: Example, folder: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: folder,
    SALLYPORT_STATE_DIR: join(folder, 'state'),
    DIGEST,
    SALLYPORT_CA: CA_FILE,
    SALLYPORT_USER: 'CORP\\alice',
    SALLYPORT_PASSWORD: ALICE.password,
    ...(text.includes('proxy.corp.example') ? {} : { SALLYPORT_PROXY: proxy.url }),
  };
}

describe('the examples', () => {
  it('are found, in pages and sources', () => {
    const files = CODE.map(({ example }) => example.file);
    expect(files).toContain('README.md');
    expect(files).toContain('src/upstream/one-shot.ts');
    expect(COMMANDS.map(({ example }) => example.file)).toContain('docs/doctor.md');
    const first = CODE.find(({ example }) => example.file === 'README.md')?.example;
    const lines = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').split('\n');
    expect(lines[(first?.line ?? 0) - 1]).toBe(first?.text.split('\n')[0]);
  });

  it('would be told by file and line if one were wrong', () => {
    expect(messages.filter((message) => message.startsWith('bad.md'))).toEqual([
      expect.stringMatching(/^bad\.md:7 error .*conect/),
      expect.stringMatching(/^bad\.md:9 error .*prxy/),
    ]);
  });

  it('stand alone: nothing is wrong outside them', () => {
    const places = new Set([...CODE, { example: BAD }].map(({ example }) => example.file));
    expect(messages.filter((message) => !places.has(message.split(':')[0] ?? ''))).toEqual([]);
  });
});

describe('code', () => {
  it.each(CODE)('at $place compiles', ({ example }) => {
    const last = example.line + example.text.split('\n').length;
    const own = messages.filter((message) => {
      const [file, line] = message.split(/[: ]/);
      return file === example.file && Number(line) >= example.line && Number(line) < last;
    });
    expect(own).toEqual([]);
  });

  it.concurrent.each(CODE)('at $place runs', async ({ example }) => {
    const folder = mkdtempSync(join(SCRATCH, 'example-'));
    const { code, stderr } = await runExample(example, rewrite, environmentFor(example, folder));
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('the command', () => {
  it.concurrent.each(COMMANDS)('at $place runs', async ({ example }) => {
    const folder = mkdtempSync(join(SCRATCH, 'command-'));
    writeFileSync(join(folder, 'password.txt'), `${ALICE.password}\n`);
    const { code, stdout } = await runCommandLine(
      rewrite(example.text),
      folder,
      environmentFor(example, folder),
    );
    expect({ code, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stdout: '' });
    const file = / -o (\S+)/.exec(example.text)?.[1];
    if (file !== undefined) {
      expect(readFileSync(join(folder, file)).equals(originBytes(BYTES))).toBe(true);
    }
    // What a sign-on prints depends on the proxy: those pages are compared in the lab (test/lab/examples.test.ts).
    if (example.output !== null && example.text.includes(' which ')) {
      expect(stdout).toBe(rewrite(example.output));
    }
  });
});
