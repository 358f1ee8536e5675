// `npm run soak` and `soak:server`, short: they hold, and they fail where something leaks or is answered wrongly. The long runs
// are made by hand.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { countChecks } from '../soak/checks.ts';
import type { Sample } from '../soak/flatness.ts';
import { judgeFlatness } from '../soak/flatness.ts';
import type { ProxyName } from '../soak/plan.ts';
import { namesOf } from '../soak/plan.ts';
import { randomOf } from '../soak/random.ts';
import type { StageCounts } from '../soak/stage-process.ts';
import type { Tally } from '../soak/tally.ts';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

beforeAll(async () => {
  // As the scripts of package.json do, but for the build: dist/ is there, and others run what is in it.
  await execute(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.scripts.json'], {
    cwd: ROOT,
  });
}, 60_000);

describe('npm run soak', () => {
  it('holds for 1,000 handshakes', { timeout: 120_000 }, async () => {
    const { code, stdout } = await soak('--handshakes', '1000', '--seed', '20');
    expect(stdout.split('\n').filter((line) => /FAILED(?:$|:)/.test(line))).toEqual([]);
    expect(stdout).toMatch(/^soak: ok$/m);
    expect(code).toBe(0);
  });

  it('fails where memory, listeners and descriptors leak', { timeout: 120_000 }, async () => {
    const { code, stdout } = await soak('--handshakes', '200', '--seed', '21', '--plant-leaks');
    const failed = stdout.split('\n').filter((line) => line.endsWith('FAILED'));
    expect(code).toBe(1);
    expect(failed.map((line) => line.split(/ {2,}/)[0])).toEqual(
      expect.arrayContaining([
        'heap, growth after the warm-up',
        'listeners on the shared signal, at most',
        'descriptors at the end, as at the start',
        'active handles at the end, as at the start',
      ]),
    );
  });

  it('does not begin without a number of handshakes', async () => {
    expect((await soak('--handshakes', 'many')).code).toBe(2);
  });
});

describe('npm run soak:server', () => {
  it('holds for 3,000 operations, the proxy killed meanwhile', { timeout: 120_000 }, async () => {
    const { code, stdout } = await soakServer('--operations', '3000', '--seed', '20');
    expect(stdout.split('\n').filter((line) => /FAILED(?:$|:)/.test(line))).toEqual([]);
    expect(stdout).toMatch(/^soak: ok$/m);
    expect(stdout).toMatch(/killed [1-9]\d* times/);
    expect(code).toBe(0);
  });

  it('fails where it leaks, answers wrongly or sends twice', { timeout: 120_000 }, async () => {
    const { code, stdout } = await soakServer(
      '--operations',
      '800',
      '--seed',
      '3',
      '--plant-faults',
    );
    const failed = stdout.split('\n').filter((line) => /FAILED(?:$|:)/.test(line));
    expect(code).toBe(1);
    expect(failed.map((line) => line.split(/ {2,}/)[0])).toEqual(
      expect.arrayContaining([
        'descriptors at the end, as at the start',
        'heap, growth after the warm-up',
        'uploads that came twice',
        expect.stringMatching(/^FAILED: operation \d+, page, \w+: Error: wrong bytes/),
      ]),
    );
  });

  it('does not begin without a number of operations', async () => {
    expect((await soakServer('--operations', 'many')).code).toBe(2);
  });
});

describe('npm run bench:tunnels', () => {
  it('opens what it is told to, and tells what that costs', { timeout: 60_000 }, async () => {
    const { code, stdout } = await node(
      'build/benchmarks/many-tunnels.js',
      '--tunnels',
      '300',
      '--beyond',
      '10',
    );
    expect(stdout).toContain('tunnels open: 300 of 300 in ');
    expect(stdout).toContain('tunnels that echo, all at once: 300 of 300');
    expect(stdout).toContain('10 more at once: 10 open, 0 told 503, 0 neither');
    expect(code).toBe(0);
  });
});

describe('countChecks()', () => {
  const STILL = {
    requests: 0,
    tunnels: 0,
    forwarded: 0,
    connections: 0,
    finalLegs: {},
    refusals: {},
  };
  const counts = new Proxy({}, { get: () => STILL }) as unknown as StageCounts;
  const unmet = (begun: number, broken: number): string[] => {
    const seen = {
      ...{ opened: 0, answered: 0, tunnels: 0, forwarded: 0, accepted: 0 },
      ...{ toldLegs: 0, toldConnections: 0 },
    };
    const isGivenUp = (name: ProxyName) => /^(?:wild|shaky)-/.test(name);
    const of = (name: ProxyName) =>
      isGivenUp(name) ? { ...seen, begun, broken } : { ...seen, begun: 0, broken: 0 };
    return countChecks({ of } as Tally, counts)
      .filter(({ isMet }) => !isMet)
      .map(({ what }) => what);
  };
  const givenUp = [...namesOf('wild'), ...namesOf('shaky')];

  it.each([70, 1000, 100_000])('finds that nothing of %d operations succeeds', (begun) => {
    expect(unmet(begun, begun)).toEqual(
      givenUp.flatMap((name) => [
        `${name}: operations that did not succeed`,
        `${name}: operations that succeeded`,
      ]),
    );
  });

  it('finds that more fails behind a shaky relay than it breaks', () => {
    expect(unmet(1000, 750)).toEqual(
      namesOf('shaky').map((name) => `${name}: operations that did not succeed`),
    );
  });

  it('takes what is drawn for what it is', () => {
    expect(unmet(1000, 650)).toEqual([]);
    expect(unmet(3, 3)).toEqual([]);
  });
});

describe('judgeFlatness()', () => {
  const tolerance = { floor: 1_000, perHandshake: 20 };
  const series = (valueAt: (index: number) => number): Sample[] =>
    Array.from({ length: 20 }, (_, index) => ({ at: index * 1_000, value: valueAt(index) }));
  const random = randomOf(1);

  it('finds 24 bytes a handshake under noise of a hundred times as much', () => {
    const noise = (): number => 50_000 * (random.next() - 0.5);
    const leaky = series((index) => 14e6 + 24 * 1_000 * index + noise());
    expect(judgeFlatness(leaky, tolerance)).toMatchObject({ isFlat: false, allowed: 380_000 });
    expect(
      judgeFlatness(
        series(() => 14e6 + noise()),
        tolerance,
      ).isFlat,
    ).toBe(true);
  });

  it('is not moved by four odd windows of twenty', () => {
    const odd = series((index) => (index % 5 === 4 ? 30e6 : 14e6));
    expect(judgeFlatness(odd, tolerance)).toMatchObject({ growth: 0, isFlat: true });
  });

  it('takes less for flat', () => {
    expect(
      judgeFlatness(
        series((index) => 14e6 - 1e5 * index),
        tolerance,
      ).isFlat,
    ).toBe(true);
  });

  it('allows the floor to a short run and no more', () => {
    const short = (growth: number): Sample[] =>
      Array.from({ length: 5 }, (_, index) => ({ at: index, value: (growth / 4) * index }));
    expect(judgeFlatness(short(1_000), tolerance).isFlat).toBe(true);
    expect(judgeFlatness(short(1_010), tolerance).isFlat).toBe(false);
  });

  it('refuses to judge four samples', () => {
    expect(() => judgeFlatness(series(() => 1).slice(0, 4), tolerance)).toThrow('too few');
  });
});

function soak(...args: string[]): Promise<Outcome> {
  return node('--expose-gc', 'build/test/soak/main.js', ...args);
}

function soakServer(...args: string[]): Promise<Outcome> {
  return node('build/test/soak/server/main.js', ...args);
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
}

async function node(...words: string[]): Promise<Outcome> {
  try {
    const { stdout } = await execute(process.execPath, words, { cwd: ROOT });
    return { code: 0, stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, stdout };
  }
}
