// How a program is found and quoted on Windows; what cmd.exe makes of it is test/lab/windows-run.test.ts's.
import { describe, expect, it } from 'vitest';
import { windowsCommand } from './windows-command.ts';

const ENV = { Path: 'C:\\one;"C:\\t w o";.;;bin;C:\\three', PATHEXT: '.COM;.EXE;.BAT;.CMD;.VBS' };
const find = (name: string, files: readonly string[], env: NodeJS.ProcessEnv = ENV) =>
  windowsCommand([name], env, (path) => files.includes(path)).file;
const lineOf = (...args: string[]) =>
  windowsCommand(['C:\\b.cmd', ...args], ENV, () => true).env['SALLYPORT_COMMAND_LINE'];

describe('windowsCommand()', () => {
  it.each<[string, string[], string]>([
    ['curl', ['C:\\one\\curl', 'C:\\three\\curl.exe'], 'C:\\three\\curl.exe'],
    ['curl', ['C:\\t w o\\curl.exe', 'C:\\three\\curl.exe'], 'C:\\t w o\\curl.exe'],
    ['curl.exe', ['C:\\one\\curl.exe.exe', 'C:\\three\\curl.exe'], 'C:\\three\\curl.exe'],
    ['python3.11', ['C:\\one\\python3.11', 'C:\\one\\python3.11.exe'], 'C:\\one\\python3.11.exe'],
    ['C:\\x\\tool', ['C:\\x\\tool.com'], 'C:\\x\\tool.com'],
  ])('finds %s among %j', (name, files, wanted) => expect(find(name, files)).toBe(wanted));

  it.each<[string, string[]]>([
    ['tool', ['tool.exe', '.\\tool.exe', 'bin\\tool.exe', '\\tool.exe']],
    ['tool', ['C:\\one\\tool', 'C:\\one\\tool.vbs']],
    ['', ['C:\\one', 'C:\\one\\']],
  ])('does not find %j in the working directory, nor what cannot be started: %j', (name, files) => {
    expect(() => find(name, files)).toThrow(
      expect.objectContaining({ code: 'PROGRAM_NOT_STARTED' }),
    );
  });

  it('does without PATHEXT', () => {
    expect(find('npm', ['C:\\one\\npm.cmd'], { PATH: 'C:\\one', SystemRoot: 'D:\\W' })).toBe(
      'D:\\W\\System32\\cmd.exe',
    );
  });

  it.each([
    ['a b', '"a b"'],
    ['%PATH% & ^x | "y" > z', '"%PATH% & ^x | ""y"" > z"'],
    ['', '""'],
    ['C:\\dir\\', '"C:\\dir\\\\"'],
    ['\\"', '"\\\\"""'],
  ])('quotes %s for a batch file', (arg, wanted) => {
    expect(lineOf(arg)).toBe(`"C:\\b.cmd" ${wanted}`);
  });

  it.each([['a\nb'], ['a\rb'], ['a\0b'], ['x'.repeat(9000)]])(
    'refuses what cmd.exe cannot take',
    (arg) => {
      expect(() => lineOf(arg)).toThrow(expect.objectContaining({ code: 'PROGRAM_NOT_STARTED' }));
    },
  );
});
