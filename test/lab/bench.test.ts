// `npm run bench`, quick: it ends, its table has its rows, and it writes where it was told to and nowhere else.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureLab } from './lab.ts';

const execute = promisify(execFile);
const lab = await ensureLab();
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A row of the table: its cells by their column. */
type Cells = Readonly<Record<'name' | 'title' | 'samples' | 'legs' | 'compared' | 'mark', string>>;

function rowsOf(table: string): Cells[] {
  return table.split('\n').flatMap((line) => {
    const [, name = '', title = '', samples = '', legs = '', , , , compared = '', , mark = ''] =
      line.split('|').map((cell) => cell.trim());
    return /^[A-Z]\d+$/.test(name) ? [{ name, title, samples, legs, compared, mark }] : [];
  });
}

describe.skipIf(!lab.available)('npm run bench -- --quick', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
  const output = join(folder, 'output');
  let printed = '';
  let rows: readonly Cells[] = [];

  beforeAll(async () => {
    // As the script of package.json does, but for the build: dist/ is there, and others run what is in it.
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    await execute(tsc, ['-p', 'tsconfig.scripts.json'], { cwd: ROOT });
    const args = ['build/benchmarks/main.js', '--quick', '--history', '--output', output];
    const run = await execute(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: folder },
    });
    printed = run.stdout;
    rows = rowsOf(printed);
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it('writes the page it prints, the raw numbers and nothing else', () => {
    const table = printed.slice(printed.indexOf('|'));
    expect(readFileSync(join(output, 'RESULTS.md'), 'utf8')).toContain(table);
    expect(readdirSync(output)).toEqual(['RESULTS.md', 'history']);
    const [file = ''] = readdirSync(join(output, 'history'));
    const { outcomes } = JSON.parse(readFileSync(join(output, 'history', file), 'utf8'));
    expect(outcomes['open-20'].samples).toHaveLength(9);
    expect(readdirSync(folder)).toEqual(['output']);
  });

  it('names the machine', () => {
    expect(printed.split('\n')[0]).toMatch(/cores; .*Node v\d.*Sallyport \d.*curl \d.*cntlm \d/);
  });

  it('measures each row', () => {
    expect(rows.filter(({ name }) => name.startsWith('A'))).toHaveLength(11);
    expect(rows.filter(({ name }) => name.startsWith('B'))).toHaveLength(10);
    expect(rows.filter(({ samples, mark }) => samples === '' && mark !== 'met')).toEqual([]);
  });

  it('counts the legs of each client', () => {
    const far = rows.filter(({ name }) => name.startsWith('A'));
    const legs = Object.fromEntries(far.map((row) => [row.title, row.legs]));
    expect(legs).toMatchObject({
      'no sign-on': '1',
      'Kerberos by curl (--proxy-negotiate)': '1',
      'Kerberos, ticket cached, proxy known': '1',
      'NTLM by curl, told so (--proxy-ntlm)': '2',
      'NTLM, proxy known': '2',
      'NTLM by curl, asks first (--proxy-anyauth)': '3',
      'NTLM, proxy new': '3',
      'NTLM by cntlm on this machine': '2',
    });
  });

  it('sees that a sign-on with a password loads no FFI', () => {
    expect(rows.find(({ title }) => title.includes('loads no FFI'))).toMatchObject({
      compared: 'yes',
      mark: 'met',
    });
  });
});
