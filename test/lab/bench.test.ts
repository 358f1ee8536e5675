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
type Cells = Readonly<
  Record<'name' | 'title' | 'samples' | 'legs' | 'median' | 'cpu' | 'compared' | 'mark', string>
>;

function rowsOf(table: string): Cells[] {
  return table.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const [, name = '', title = '', samples = '', legs = '', median = '', , , cpu = ''] = cells;
    const [compared = '', , mark = ''] = cells.slice(9);
    return /^[A-Z]\d+$/.test(name)
      ? [{ name, title, samples, legs, median, cpu, compared, mark }]
      : [];
  });
}

/** Local proxies that a machine has or has not; each has its rows all the same. */
const PEERS = /\b(cntlm|px|alpaca)\b/;

describe.skipIf(!lab.available)('npm run bench -- --quick', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
  const output = join(folder, 'output');
  let printed = '';
  let rows: readonly Cells[] = [];

  beforeAll(async () => {
    // As the script of package.json does, but for the build: dist/ is there, and others run what is in it.
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    await execute(tsc, ['-p', 'tsconfig.scripts.json'], { cwd: ROOT });
    printed = await bench('--quick', '--history', '--output', output);
    rows = rowsOf(printed);
  }, 150_000);

  async function bench(...args: string[]): Promise<string> {
    const run = execute(process.execPath, ['build/benchmarks/main.js', ...args], {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: folder },
    });
    return (await run).stdout;
  }

  afterAll(() => rmSync(folder, { recursive: true }));

  it('writes the page it prints, the raw numbers and nothing else', () => {
    const table = printed.slice(printed.indexOf('|'));
    expect(readFileSync(join(output, 'RESULTS.md'), 'utf8')).toContain(table);
    expect(readdirSync(output)).toEqual(['RESULTS.md', 'history']);
    const [file = ''] = readdirSync(join(output, 'history'));
    const { sections } = JSON.parse(readFileSync(join(output, 'history', file), 'utf8'));
    const open = sections[0].rows.find(({ id }: { id: string }) => id === 'open-20');
    expect(open.outcome.samples).toHaveLength(9);
    expect(readdirSync(folder)).toEqual(['output']);
  });

  it('names the machine', () => {
    expect(printed.split('\n')[0]).toMatch(/cores; .*Node v\d.*Sallyport \d.*curl \d.*cntlm \d/);
  });

  it('measures each row, or says why not', () => {
    const letters = rows.map(({ name }) => name.charAt(0));
    expect([...new Set(letters)].join('')).toMatch(/^ABCDEF/);
    // A claim has no samples, but an answer.
    const absent = rows.filter(
      ({ samples, compared }) => samples === '' && !/^(?:yes|no)$/.test(compared),
    );
    expect(absent.filter(({ title }) => !PEERS.test(title))).toEqual([]);
    for (const { name } of absent) {
      expect(printed).toMatch(new RegExp(`^- ${name}: \\S`, 'm'));
    }
  });

  it('tells throughput and the CPU time of it', () => {
    const transfers = rows.filter(({ title }) => /request\(\), to memory|-o FILE/.test(title));
    expect(transfers).toHaveLength(5);
    for (const { median, cpu } of transfers) {
      expect([Number(median) > 0, Number(cpu) > 0]).toEqual([true, true]);
    }
  });

  it('holds two runs against each other without measuring', async () => {
    const [file = ''] = readdirSync(join(output, 'history'));
    const path = join(output, 'history', file);
    const table = await bench('--compare', path, path, '--assert');
    expect(table).toContain('request(), to memory, http');
    expect(table).not.toContain('WORSE');
    await expect(bench('--compare', '--output', output)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has no two runs to compare'),
    });
  });

  it('lists its sections and refuses one there is none of', async () => {
    const list = await bench('--list');
    expect(list).toMatch(/^C {2}throughput /m);
    expect(list).toMatch(/^ +cntlm +\S/m);
    await expect(bench('--only', 'weather')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no section weather; there are far, near'),
    });
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
      'Digest by curl (--proxy-digest)': '2',
      'Digest, proxy known': '1',
    });
  });

  it('sees that a sign-on with a password loads no FFI', () => {
    expect(rows.find(({ title }) => title.includes('loads no FFI'))).toMatchObject({
      compared: 'yes',
      mark: 'met',
    });
  });
});
