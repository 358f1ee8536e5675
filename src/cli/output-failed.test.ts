import { describe, expect, it } from 'vitest';
import { outputFailed, STANDARD_OUTPUT } from './output-failed.ts';

const caused = (code: string) => Object.assign(new Error('x'), { code });

describe('outputFailed()', () => {
  it.each([
    ['ENOENT', /^Create that folder/],
    ['EACCES', /in another folder.* or another folder as -o DIR\/\.$/],
    ['EROFS', /in another folder/],
    ['ENOSPC', /^Make room/],
    ['EISDIR', /^Name another file with -o\.$/],
  ])('says what to do about %s', (code, hint) => {
    expect(outputFailed('folder/x', caused(code)).hint).toMatch(hint);
  });

  it('names no file where there is none', () => {
    expect(outputFailed(STANDARD_OUTPUT, caused('EACCES')).hint).toBeUndefined();
  });
});
