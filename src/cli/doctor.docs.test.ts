// Holds docs/doctor.md against the options of the command.
import { describe, expect, it } from 'vitest';
import { codeBlocks, read } from '../../test/docs/markdown.ts';
import { doctorCommand } from './doctor.ts';
import { getCommand } from './get.ts';

const optionsOf = (command: ReturnType<typeof getCommand>) =>
  command.options.map(({ long }) => long ?? '');

describe('docs/doctor.md', () => {
  it('names the options of get that doctor does not take', () => {
    const sentence = /takes the options of `get` but ([^.]*)\./.exec(read('docs/doctor.md'))?.[1];
    const known = optionsOf(doctorCommand());
    expect([...(sentence ?? '').matchAll(/--[a-z0-9-]+/g)].map(String).sort()).toEqual(
      optionsOf(getCommand())
        .filter((option) => !known.includes(option))
        .sort(),
    );
  });

  it('has only options that doctor knows', () => {
    const used = codeBlocks('docs/doctor.md').flatMap(({ text }) =>
      [...text.matchAll(/ (--[a-z-]+)/g)].map(([, name = '']) => name),
    );
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !optionsOf(doctorCommand()).includes(name))).toEqual([]);
  });
});
