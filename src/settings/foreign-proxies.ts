// Other proxies in the files of the tools `run` starts. Owns where these files lie, which of their lines name a proxy, and
// who wins; it never asks the tool.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { programName } from './java-options.ts';
import { readBounded } from './read-bounded.ts';

/** A line in a tool's own file. */
export interface ForeignProxy {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** As it stands in the file. */
  readonly key: string;
  /** Whether the tool follows the file, not us. */
  readonly wins: boolean;
}

interface ToolFile {
  readonly path: string;
  readonly kind: keyof typeof KINDS;
}

type Kind = (lines: readonly string[]) => { line: number; key: string; wins: boolean }[];

const MAX_FILE_BYTES = 256 * 1024;

const KINDS = {
  npmrc: (lines) => matches(lines, /^\s*((?:https?-)?proxy)\s*=\s*(?!null\b|false\b)["']?\S/i),
  /** yarn 1: plain http follows its `proxy`, for which there is no variable that yarn 2 would bear. */
  yarnrc: (lines) => [
    ...matches(lines, /^\s*"?(proxy)"?\s+["']?\w/, true),
    ...matches(lines, /^\s*"?(https-proxy)"?\s+["']?\w/),
  ],
  yarnrcYml: (lines) => matches(lines, /^(https?Proxy)\s*:\s*["']?\w/),
  pipConf: (lines) => matches(lines, /^\s*(proxy)\s*[=:]\s*\S/i),
  condarc: (lines) =>
    within(lines, /^proxy_servers\s*:/, /^\s+["']?(https?[^"'\s]*?)["']?\s*:\s*["']?\w/),
  gitConfig: (lines) => gitProxies(lines),
} satisfies Record<string, Kind>;

/**
 * What the program's own files say, the first of them first. Nothing for programs that have no such file, nor for a shell,
 * from which any may be started.
 *
 * @param command as it is started
 */
export async function findForeignProxies(
  command: string,
  env: NodeJS.ProcessEnv = process.env,
  folder: string = process.cwd(),
): Promise<ForeignProxy[]> {
  const found: ForeignProxy[] = [];
  const files = filesOf(programName(command), env, folder);
  // In the home folder one file is both.
  for (const { path, kind } of new Map(files.map((file) => [file.path, file])).values()) {
    const bytes = await readBounded(path, MAX_FILE_BYTES).catch(() => null);
    const lines = bytes?.toString('utf8').split(/\r?\n/) ?? [];
    found.push(...KINDS[kind](lines).map((one) => ({ file: path, ...one })));
  }
  return found;
}

function filesOf(program: string, env: NodeJS.ProcessEnv, folder: string): ToolFile[] {
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  const files = (kind: ToolFile['kind'], ...paths: string[]): ToolFile[] =>
    paths.map((path) => ({ path, kind }));
  if (/^(?:npm|npx|pnpm|pnpx)$/.test(program)) {
    const user = env['npm_config_userconfig'] || join(home, '.npmrc');
    return files('npmrc', join(folder, '.npmrc'), user);
  }
  if (/^yarn(?:pkg)?$/.test(program)) {
    return [
      ...files('yarnrcYml', join(folder, '.yarnrc.yml'), join(home, '.yarnrc.yml')),
      ...files('yarnrc', join(folder, '.yarnrc'), join(home, '.yarnrc')),
    ];
  }
  if (/^pip(?:[\d.]*)$/.test(program)) {
    const config = env['XDG_CONFIG_HOME'] || join(home, '.config');
    const roaming = env['APPDATA'] ? [join(env['APPDATA'], 'pip', 'pip.ini')] : [];
    return files(
      'pipConf',
      ...(env['PIP_CONFIG_FILE'] ? [env['PIP_CONFIG_FILE']] : []),
      join(config, 'pip', 'pip.conf'),
      join(home, '.pip', 'pip.conf'),
      ...roaming,
      '/etc/pip.conf',
    );
  }
  if (/^(?:conda|mamba|micromamba)$/.test(program)) {
    const own = env['CONDARC'] ? [env['CONDARC']] : [];
    return files(
      'condarc',
      ...own,
      join(home, '.condarc'),
      join(home, '.config', 'conda', '.condarc'),
    );
  }
  if (program === 'git') {
    const config = env['XDG_CONFIG_HOME'] || join(home, '.config');
    const user = env['GIT_CONFIG_GLOBAL'] || join(home, '.gitconfig');
    return files(
      'gitConfig',
      join(folder, '.git', 'config'),
      user,
      join(config, 'git', 'config'),
      '/etc/gitconfig',
    );
  }
  return [];
}

function matches(lines: readonly string[], pattern: RegExp, wins = false): ReturnType<Kind> {
  return lines.flatMap((text, at) => {
    const key = pattern.exec(text)?.[1];
    return key === undefined ? [] : [{ line: at + 1, key, wins }];
  });
}

/** conda takes its file before the environment (and has no variable for this table). */
function within(lines: readonly string[], start: RegExp, pattern: RegExp): ReturnType<Kind> {
  let isInside = false;
  return lines.flatMap((text, at) => {
    if (/^\S/.test(text)) {
      isInside = start.test(text);
    }
    const key = isInside ? pattern.exec(text)?.[1] : undefined;
    return key === undefined ? [] : [{ line: at + 1, key: `proxy_servers.${key}`, wins: true }];
  });
}

/** `[http "https://host/"] proxy` is for one server, and more exact than what we say for all. */
function gitProxies(lines: readonly string[]): ReturnType<Kind> {
  let section = '';
  return lines.flatMap((text, at) => {
    section = /^\s*\[\s*([^\]]*?)\s*\]/.exec(text)?.[1] ?? section;
    const isHttp = /^http(?:\s+".*")?$/i.test(section);
    const isProxy = isHttp && /^(?:\s*\[[^\]]*\])?\s*proxy\s*=\s*\S/i.test(text);
    return isProxy ? [{ line: at + 1, key: `${section}: proxy`, wins: /\s/.test(section) }] : [];
  });
}
