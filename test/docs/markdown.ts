// Reads the project's Markdown for the tests that hold documents against code. Owns tables, code blocks, links and headings;
// knows no document.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);

export interface CodeBlock {
  readonly language: string;
  /** Of its first line within the fences, from 1. */
  readonly line: number;
  readonly text: string;
}

/** The absolute path of a file of this repository. */
export function pathOf(file: string): string {
  return fileURLToPath(new URL(file, ROOT));
}

/** The text of a file of this repository. */
export function read(file: string): string {
  return readFileSync(pathOf(file), 'utf8');
}

/** README, CONTRIBUTING, CHANGELOG, the READMEs of lab and benchmarks, and everything under `docs/`, as paths from the root. */
export function documents(): string[] {
  const below = readdirSync(pathOf('docs'), { recursive: true, encoding: 'utf8' });
  const pages = below.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  const beside = ['test/lab/README.md', 'benchmarks/README.md'];
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...beside, ...pages.sort()];
}

/**
 * The rows of all tables of a page whose header begins with these cells, each as trimmed cells. Back quotes
 * round a whole cell are taken off.
 *
 * @throws Error when the page has no such table: a test of nothing would pass
 */
export function tableRows(file: string, header: readonly string[]): string[][] {
  const rows: string[][] = [];
  let inside = false;
  for (const line of withoutCode(read(file)).split('\n')) {
    const cells = line.startsWith('|') ? cellsOf(line) : null;
    if (cells === null) {
      inside = false;
    } else if (header.every((name, at) => cells[at] === name)) {
      inside = true;
    } else if (inside && !/^:?-+:?$/.test(cells[0] ?? '')) {
      rows.push(cells);
    }
  }
  if (rows.length === 0) {
    throw new Error(`${file} has no table that begins with ${header.join(' | ')}`);
  }
  return rows;
}

export function codeBlocks(file: string): CodeBlock[] {
  const page = read(file);
  return [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(
    ({ index, 1: language = '', 2: text = '' }) => ({
      language,
      line: page.slice(0, index).split('\n').length + 1,
      text,
    }),
  );
}

/** The targets of all links that do not leave the repository, as written: `errors.md#the-proxy`. */
export function relativeLinks(file: string): string[] {
  const targets = [...withoutCode(read(file)).matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target = '']) => target,
  );
  return targets.filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

/** The anchors of the headings of a page, as GitHub makes them. */
export function anchors(file: string): string[] {
  return [...withoutCode(read(file)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, '');
}

function cellsOf(line: string): string[] {
  const cells = line
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/);
  return cells.map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1'));
}
