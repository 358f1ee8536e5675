// Holds the library examples of the README against the public names, and the npm scripts of all documents against package.json.
import { describe, expect, it } from 'vitest';
import { codeBlocks, documents, read } from '../test/docs/markdown.ts';
import * as library from './index.ts';
import * as testing from './testing/index.ts';

const MODULES: Readonly<Record<string, object>> = {
  sallyport: library,
  'sallyport/testing': testing,
};

const imports = codeBlocks('README.md').flatMap(({ text }) =>
  [...text.matchAll(/^import \{ (.+) \} from '(sallyport[^']*)';$/gm)].flatMap(
    ([, names = '', from = '']) => names.split(', ').map((name) => ({ name, from })),
  ),
);

describe('README.md', () => {
  it('imports only names that are exported', () => {
    const missing = imports.filter(({ name, from }) => !(name in (MODULES[from] ?? {})));
    expect(imports.length).toBeGreaterThan(5);
    expect(missing).toEqual([]);
  });

  it('names the functions of the library in its status table', () => {
    const functions = Object.entries(library).filter(([name, value]) => {
      return typeof value === 'function' && /^[a-z]/.test(name) && !/^(is|format)/.test(name);
    });
    const status = read('README.md').split('\n## ')[1] ?? '';
    expect(functions.filter(([name]) => !status.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('npm run in a document', () => {
  it('names only scripts that are there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: object };
    const called = documents().flatMap((file) =>
      [...read(file).matchAll(/npm (?:run (?!--)([\w:-]+)|(test)\b)/g)].map(
        ([, run, test]) => run ?? test ?? '',
      ),
    );
    expect(called).toContain('demo');
    expect(called.filter((name) => !(name in scripts))).toEqual([]);
  });
});
