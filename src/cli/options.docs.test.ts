// Holds docs/options.md and the commands of the README against the options of the commands, the variables and the keys
// of the configuration file.
import { describe, expect, it } from 'vitest';
import { codeBlocks, documents, read, tableRows } from '../../test/docs/markdown.ts';
import { parseConfiguration } from '../settings/config-file.ts';
import { MAX_WARM, SERVE_KEYS } from '../settings/serve-configuration.ts';
import { MAX_READY } from '../upstream/ready-connections.ts';
import { getCommand } from './get.ts';
import { importCommand } from './import.ts';
import { loginCommand } from './login.ts';
import { logoutCommand } from './logout.ts';
import { retryCommand } from './retry.ts';
import { runCommand } from './run.ts';
import { serveCommand } from './serve.ts';
import { trustCommand } from './trust.ts';
import { whichCommand } from './which.ts';

const rows = tableRows('docs/options.md', ['option of `get`', 'variable', 'key of the file']);
const column = (at: number) => rows.map((row) => row[at] ?? '').filter((cell) => cell !== '');

function optionsOf(command: ReturnType<typeof getCommand>): string[] {
  return command.options.map(({ long }) => long ?? '').sort();
}

const OTHERS = [
  ...[whichCommand(), retryCommand(), loginCommand(), logoutCommand(), trustCommand()],
  runCommand(),
  serveCommand(),
  importCommand(),
];

describe('docs/options.md', () => {
  it('has each option of get, and no other', () => {
    expect(column(0).sort()).toEqual(optionsOf(getCommand()));
  });

  it.each(OTHERS)('names the options of $_name', (command) => {
    const takes = new RegExp(`\`${command.name()}\` takes ([^.]*)\\.`);
    const sentence = takes.exec(read('docs/options.md'))?.[1] ?? '';
    expect([...sentence.matchAll(/--[a-z0-9-]+/g)].map(String).sort()).toEqual(optionsOf(command));
  });

  it('has each SALLYPORT_ variable that is read, and no other', () => {
    const source = read('src/settings/environment.ts');
    const known = new Set([...source.matchAll(/'(SALLYPORT_\w+)'/g)].map(([, name]) => name));
    expect(column(1).sort()).toEqual([...known].sort());
  });

  it('has each key of the configuration file, and no other', () => {
    const source = read('src/settings/config-file.ts');
    const keys = /const KEYS[^=]*= \[(.*?)\]/s.exec(source)?.[1] ?? '';
    expect(column(2).sort()).toEqual([...keys.matchAll(/'(\w+)'/g)].map(([, key]) => key).sort());
  });
});

describe('docs/configuration.md', () => {
  const page = 'docs/configuration.md';
  const keys = tableRows(page, ['key of `serve`', 'option', 'value', 'while it runs']);

  it('has each key of serve, beside an option of it', () => {
    expect(keys.map(([key]) => key).sort()).toEqual([...SERVE_KEYS].sort());
    const options = optionsOf(serveCommand());
    expect(keys.filter(([, option = '']) => !options.includes(option))).toEqual([]);
  });

  it('lets warm be what --warm may be', () => {
    expect(MAX_WARM).toBe(MAX_READY);
  });

  it('has an example that is taken', () => {
    const [example] = codeBlocks(page).filter(({ language }) => language === 'json');
    const configuration = parseConfiguration('/x/config.json', Buffer.from(example?.text ?? ''));
    expect(configuration.serve?.grace).toBe(30);
  });
});

const COMMAND =
  /(?:sallyport|cli\/main\.js) (get|which|retry|login|logout|trust|run|serve|import)(?: |$)/;

describe('a sallyport command in a document', () => {
  const lines = documents().flatMap((file) =>
    codeBlocks(file)
      .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'))
      .filter((line) => COMMAND.test(line)),
  );

  it('has only options that its command knows', () => {
    const unknown = lines.flatMap((line) => {
      const name = COMMAND.exec(line)?.[1];
      const command = OTHERS.find((other) => other.name() === name) ?? getCommand();
      const known = optionsOf(command);
      // What stands behind `--` is another program's.
      const [own = ''] = line.split(' -- ');
      return [...own.matchAll(/ (--[a-z0-9-]+)/g)].filter(
        ([, option = '']) => !known.includes(option),
      );
    });
    expect(lines.length).toBeGreaterThan(4);
    expect(unknown).toEqual([]);
  });
});
