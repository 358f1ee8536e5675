// The operating system's proxy settings, from whichever system this is: the facade over `system/`, of which it
// loads what this system needs. Owns the choice and the longest wait; which of them counts, and for which target, is `route/`'s.
import type { SystemProxy } from './system/proxy-settings.ts';
import type { RunCommand } from './system/run-command.ts';

export type { SystemProxy } from './system/proxy-settings.ts';

export interface SystemProxyDeps {
  readonly platform?: NodeJS.Platform;
  readonly env?: NodeJS.ProcessEnv;
  readonly run?: RunCommand;
}

const MAX_WAIT_MS = 2000;
/** Of what `gsettings` or `scutil` say. */
const MAX_ANSWER_CHARS = 1024 * 1024;

/**
 * Reads what the system knows, without asking a network. Never rejects: what cannot be read is a `problem`.
 *
 * @returns `null` when the system names no proxy
 */
export async function readSystemProxy(deps: SystemProxyDeps = {}): Promise<SystemProxy | null> {
  const { platform = process.platform, env = process.env } = deps;
  const run = shortAnswers(deps.run ?? runLater);
  switch (platform) {
    case 'win32':
      return (await import('./system/windows.ts')).readWindowsProxy();
    case 'darwin':
      return await (await import('./system/macos.ts')).readMacosProxy(env, run, MAX_WAIT_MS);
    default:
      return await (await import('./system/gnome.ts')).readGnomeProxy(env, run, MAX_WAIT_MS);
  }
}

function shortAnswers(run: RunCommand): RunCommand {
  return async (file, ...call) => {
    const answer = await run(file, ...call);
    return 'output' in answer && answer.output.length > MAX_ANSWER_CHARS
      ? { problem: `${file} told more than 1 MiB` }
      : answer;
  };
}

/** Loaded where it is needed only. */
const runLater: RunCommand = async (...call) =>
  (await import('./system/run-command.ts')).runCommand(...call);
