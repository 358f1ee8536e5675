// The operating system's proxy settings, from whichever system this is: the facade over `system/`. Owns the choice and the
// longest wait; which of them counts, and for which target, is `route/`'s.
import { readGnomeProxy } from './system/gnome.ts';
import { readMacosProxy } from './system/macos.ts';
import type { SystemProxy } from './system/proxy-settings.ts';
import type { RunCommand } from './system/run-command.ts';
import { runCommand } from './system/run-command.ts';
import { readWindowsProxy } from './system/windows.ts';

export type { SystemProxy } from './system/proxy-settings.ts';

export interface SystemProxyDeps {
  readonly platform?: NodeJS.Platform;
  readonly env?: NodeJS.ProcessEnv;
  readonly run?: RunCommand;
}

const MAX_WAIT_MS = 2000;

/**
 * Reads what the system knows, without asking a network. Never rejects: what cannot be read is a `problem`.
 *
 * @returns `null` when the system names no proxy
 */
export async function readSystemProxy(deps: SystemProxyDeps = {}): Promise<SystemProxy | null> {
  const { platform = process.platform, env = process.env, run = runCommand } = deps;
  switch (platform) {
    case 'win32':
      return readWindowsProxy();
    case 'darwin':
      return await readMacosProxy(env, run, MAX_WAIT_MS);
    default:
      return await readGnomeProxy(env, run, MAX_WAIT_MS);
  }
}
