// The examples of README, docs/ and TSDoc, with the place where each stands. Owns finding them; `try-examples.ts` tries them.
import { readdirSync } from 'node:fs';
import { codeBlocks, documents, pathOf, read } from './markdown.ts';

export interface Example {
  readonly file: string;
  /** Of its first line, from 1. */
  readonly line: number;
  readonly text: string;
}

export interface CommandExample extends Example {
  /** What the page shows behind it; `null` where it shows nothing. */
  readonly output: string | null;
}

const PAGES = documents().filter((file) => file === 'README.md' || file.startsWith('docs/'));
/** `sallyport`, perhaps by npx, perhaps behind variables. */
const COMMAND = /^(?:[A-Z_]+=\S+ )*(?:npx )?sallyport /;

/** The blocks of code of the pages, and the `@example` blocks of the sources. */
export function codeExamples(): Example[] {
  const ofPages = PAGES.flatMap((file) =>
    codeBlocks(file)
      .filter(({ language }) => ['js', 'ts', 'mjs'].includes(language))
      .map(({ line, text }) => ({ file, line, text })),
  );
  const sources = readdirSync(pathOf('src'), { recursive: true, encoding: 'utf8' })
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  return [...ofPages, ...sources.sort().flatMap(examplesIn)];
}

/** The commands with `sallyport` in the shell blocks of the pages. */
export function commandExamples(): CommandExample[] {
  return PAGES.flatMap((file) =>
    codeBlocks(file)
      .filter(({ language }) => ['sh', 'console'].includes(language))
      .flatMap((block) => commandsIn(file, block)),
  );
}

/** A line with a prompt is a command, what follows it is its output; without prompts each line is a command. */
function commandsIn(
  file: string,
  { language, line, text }: { language: string; line: number; text: string },
): CommandExample[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const prompt = language === 'console' ? '$ ' : '';
  const starts = lines.flatMap((one, at) => (one.startsWith(prompt) ? [at] : []));
  return starts
    .map((at, index) => {
      const output = lines.slice(at + 1, starts[index + 1]).map((one) => `${one}\n`);
      return {
        file,
        line: line + at,
        text: (lines[at] ?? '').slice(prompt.length),
        output: language === 'console' ? output.join('') : null,
      };
    })
    .filter(({ text: command }) => COMMAND.test(command));
}

function examplesIn(file: string): Example[] {
  const source = read(file);
  const found = source.matchAll(/^ *\* @example\n *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm);
  return [...found].map(({ index, 1: block = '' }) => ({
    file,
    line: source.slice(0, index).split('\n').length + 2,
    text: block.replaceAll(/^ *\* ?/gm, ''),
  }));
}
