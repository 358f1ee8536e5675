// Holds docs/dependencies.md against the lock file and package.json.
import { describe, expect, it } from 'vitest';
import { read, tableRows } from '../../test/docs/markdown.ts';
import { ALLOWED_LICENCES, runtimePackages } from './dependencies.ts';

const rows = tableRows('docs/dependencies.md', ['package', 'licence', 'comes with']).map(
  ([name = '', licence = '', why = '']) => ({ name, licence, why }),
);
const packages = runtimePackages(JSON.parse(read('package-lock.json')));
const rowOf = (name: string) =>
  rows.find((row) => row.name === name) ??
  rows.find((row) => row.name.endsWith('*') && name.startsWith(row.name.slice(0, -1)));

describe('docs/dependencies.md', () => {
  it('has a row for each package that comes along, with its licence', () => {
    expect(packages.length).toBeGreaterThan(5);
    expect(packages.filter(({ name, licence }) => rowOf(name)?.licence !== licence)).toEqual([]);
  });

  it('has no row too many', () => {
    const used = new Set(packages.map(({ name }) => rowOf(name)));
    expect(rows.filter((row) => !used.has(row))).toEqual([]);
  });

  it('leads from each package to the decision for it, the optional ones included', () => {
    const { dependencies, optionalDependencies } = JSON.parse(read('package.json'));
    const direct = Object.keys({ ...dependencies, ...optionalDependencies });
    const titles = direct.map((name) => {
      const page = /\]\((decisions\/[\w-]+\.md)\)/.exec(rowOf(name)?.why ?? '')?.[1];
      return [name, page === undefined ? '' : read(`docs/${page}`).toLowerCase()] as const;
    });
    const own = (name: string): string => name.replace(/^@[\w-]+\/(\w+).*/, '$1');
    expect(titles.filter(([name, text]) => !text.includes(own(name)))).toEqual([]);
  });

  it('names the licences that are allowed', () => {
    const allowed = /^Allowed are (.+) \(/m.exec(read('docs/dependencies.md'))?.[1] ?? '';
    expect(allowed.split(/, | and /)).toEqual([...ALLOWED_LICENCES]);
  });
});
