// Every link inside the documents leads somewhere.
import { existsSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchors, documents, pathOf, relativeLinks } from '../test/docs/markdown.ts';

/** @returns what is wrong with a link, or `null` */
function fault(from: string, link: string): string | null {
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? from : posix.join(posix.dirname(from), path);
  if (!existsSync(pathOf(file)) || (statSync(pathOf(file)).isDirectory() && anchor)) {
    return `${link}: no such file`;
  }
  const isMissing = anchor !== undefined && !anchors(file).includes(anchor);
  return isMissing ? `${link}: no such heading` : null;
}

describe('links', () => {
  it.each(documents())('of %s lead to files and headings that are there', (file) => {
    const faults = relativeLinks(file).map((link) => fault(file, link));
    expect(faults.filter((one) => one !== null)).toEqual([]);
  });

  it('are found at all', () => {
    expect(relativeLinks('README.md')).toContain('docs/errors.md');
    expect(fault('README.md', 'docs/none.md')).toBe('docs/none.md: no such file');
    expect(fault('README.md', 'docs/errors.md#none')).toBe('docs/errors.md#none: no such heading');
  });
});
