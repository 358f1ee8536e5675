// The commands of README.md where their hosts are real: with alice's ticket, against the proxy they name. What the page
// shows is what is printed, to the letter. `test/embedded/examples.test.ts` runs all examples anywhere.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { commandExamples } from '../docs/examples.ts';
import { placeOf, runCommandLine } from '../docs/try-examples.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const HELLO = 'hello from origin\n';
const FOLDER = mkdtempSync(join(tmpdir(), 'sallyport-lab-'));
const EXAMPLES = commandExamples().map((example) => ({ place: placeOf(example), example }));

afterAll(() => rmSync(FOLDER, { recursive: true }));

/** The one host of the pages that is not in the lab. */
function rewrite(text: string): string {
  return text.replaceAll(
    /https:\/\/example\.com\/(?:file\.zip)?/g,
    `${LAB.origins.https}/small.txt`,
  );
}

describe.skipIf(!lab.available)('the command', () => {
  it.each(EXAMPLES)('at $place does what the page shows', async ({ place, example }) => {
    const folder = mkdtempSync(join(FOLDER, 'command-'));
    writeFileSync(join(folder, 'password.txt'), `${LAB.users.alice.password}\n`);
    const { code, stdout } = await runCommandLine(rewrite(example.text), folder, {
      ...LAB.environment,
      HOME: folder,
      DIGEST: createHash('sha256').update(HELLO).digest('hex'),
      SALLYPORT_CA: LAB.ca,
      SALLYPORT_STATE_DIR: join(folder, 'state'),
      // Where the page has it typed.
      ...(example.text.includes('--user') ? { SALLYPORT_PASSWORD: LAB.users.alice.password } : {}),
      ...(/proxy\.corp/.test(example.text) ? {} : { SALLYPORT_PROXY: LAB.proxies.all.url }),
    });
    expect({ place, code, stdout: code === 0 ? '' : stdout }).toEqual({
      place,
      code: 0,
      stdout: '',
    });
    if (example.output !== null) {
      expect(stdout).toBe(rewrite(example.output));
    }
    const file = / -o (\S+)/.exec(example.text)?.[1];
    if (file !== undefined) {
      expect(readFileSync(join(folder, file), 'utf8')).toBe(HELLO);
    }
  });
});
