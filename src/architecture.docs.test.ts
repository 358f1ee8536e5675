// Holds the table of folders in docs/architecture.md against the tree, and the decisions against their index and the
// runtime dependencies.
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documents, pathOf, read, tableRows } from '../test/docs/markdown.ts';

describe('docs/architecture.md', () => {
  it('has a row for each folder of src/, and for no other', () => {
    const entries = readdirSync(pathOf('src'), { withFileTypes: true });
    const folders = entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `src/${name}/`);
    const told = tableRows('docs/architecture.md', ['folder', 'responsibility']);
    expect(told.map(([folder]) => folder).sort()).toEqual(folders.sort());
  });
});

describe('docs/decisions', () => {
  const pages = documents()
    .map((file) => /^docs\/decisions\/(.+)\.md$/.exec(file)?.[1])
    .filter((name) => name !== undefined && name !== 'README');

  it('has each page in its index, and no other', () => {
    const rows = tableRows('docs/decisions/README.md', ['page', 'decided']);
    const told = rows.map(([page = '']) => /\]\((.+)\.md\)$/.exec(page)?.[1]);
    expect(told.sort()).toEqual(pages.sort());
  });

  it('has a page for each runtime dependency', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: object };
    expect(Object.keys(dependencies).filter((name) => !pages.includes(name))).toEqual([]);
  });

  it.each(documents().filter((file) => file.startsWith('docs/decisions/')))(
    '%s is one short page',
    (file) => {
      expect(read(file).trimEnd().split('\n').length).toBeLessThanOrEqual(40);
    },
  );
});
