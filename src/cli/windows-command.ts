// How a program is started on Windows by its name: found on PATH by PATHEXT, never in the working directory, and batch files
// through cmd.exe with arguments that stay arguments. Owns the search and the quoting; starts nothing.
import { existsSync, statSync } from 'node:fs';
import { win32 } from 'node:path';
import { SallyportError } from '../errors/sallyport-error.ts';

/** What `spawn` is given. */
export interface WindowsCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Whether `args` are one line already. */
  readonly isVerbatim: boolean;
}

/** The kinds of files that can be started without asking what they are opened with. */
const STARTABLE = ['.com', '.exe', '.bat', '.cmd'];
/** cmd.exe takes 8191. */
const MAX_LINE_CHARS = 8000;
const LINE_VARIABLE = 'SALLYPORT_COMMAND_LINE';
const UNSPEAKABLE = /[\0\r\n]/;

/**
 * @param words the program and its arguments
 * @throws SallyportError PROGRAM_NOT_STARTED when there is no such program, or cmd.exe could not be given its arguments
 */
export function windowsCommand(
  [name = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  isFile: (path: string) => boolean = isFileHere,
): WindowsCommand {
  const file = findProgram(name, env, isFile);
  if (file === undefined) {
    throw new SallyportError('PROGRAM_NOT_STARTED', `${name} cannot be started (ENOENT)`, {
      hint: 'No program of that name was found on PATH. What lies in the working directory is started as .\\NAME.',
    });
  }
  return /\.(?:bat|cmd)$/i.test(file)
    ? throughCmd(file, args, env)
    : { file, args, env, isVerbatim: false };
}

function findProgram(
  name: string,
  env: NodeJS.ProcessEnv,
  isFile: (path: string) => boolean,
): string | undefined {
  const endings = startableEndings(variable(env, 'PATHEXT'));
  const names = endings.includes(win32.extname(name).toLowerCase())
    ? [name]
    : endings.map((ending) => name + ending);
  const candidates = /[\\/:]/.test(name)
    ? names.map((one) => win32.resolve(one))
    : foldersOf(variable(env, 'PATH')).flatMap((folder) =>
        names.map((one) => win32.join(folder, one)),
      );
  return candidates.find(isFile);
}

function startableEndings(pathExt: string): string[] {
  const said = pathExt
    .toLowerCase()
    .split(';')
    .filter((ending) => STARTABLE.includes(ending));
  return said.length > 0 ? said : STARTABLE;
}

/** An entry that is not absolute would be one below the working directory. */
function foldersOf(path: string): string[] {
  return path
    .split(';')
    .map((entry) => entry.replaceAll('"', ''))
    .filter((entry) => /^(?:[a-z]:[\\/]|\\\\)/i.test(entry));
}

/**
 * The line stands in a variable: cmd.exe replaces it by its value once, so that a % in an argument names nothing. Each word
 * is quoted, a quote in it doubled; between quotes & | < > ^ are letters, and the batch file that passes `%*` on keeps the
 * quotes. No way is known for a line break.
 */
function throughCmd(file: string, args: readonly string[], env: NodeJS.ProcessEnv): WindowsCommand {
  const line = [file, ...args].map(quoted).join(' ');
  if (args.some((arg) => UNSPEAKABLE.test(arg)) || line.length > MAX_LINE_CHARS) {
    throw new SallyportError(
      'PROGRAM_NOT_STARTED',
      `${file} cannot be given these arguments: it is a batch file`,
      {
        hint: `cmd.exe takes no line break in an argument, and ${MAX_LINE_CHARS} characters in all.`,
      },
    );
  }
  const system = variable(env, 'SystemRoot') || 'C:\\Windows';
  return {
    file: win32.join(system, 'System32', 'cmd.exe'),
    args: ['/d', '/v:off', '/s', '/c', `"%${LINE_VARIABLE}%"`],
    env: { ...env, [LINE_VARIABLE]: line },
    isVerbatim: true,
  };
}

/** Backslashes in front of a quote would escape it for the program behind the batch file. */
function quoted(word: string): string {
  const inner = word.replaceAll(/(\\*)"/g, '$1$1""').replace(/(\\+)$/, '$1$1');
  return `"${inner}"`;
}

/** In a copy of the environment, names have the case they were set with. */
function variable(env: NodeJS.ProcessEnv, name: string): string {
  const key = Object.keys(env).find((one) => one.toUpperCase() === name.toUpperCase());
  return (key === undefined ? undefined : env[key]) ?? '';
}

function isFileHere(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
