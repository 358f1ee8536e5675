// A desktop session as far as passwords are concerned: a D-Bus of its own and GNOME's keyring on it, in a home of its
// own. Ends both.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface KeyringSession extends AsyncDisposable {
  /** What a program of that session finds in its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** @param password of the keyring, which is made when there is none; `null` leaves it locked */
export async function startKeyringSession(
  home: string,
  password: string | null,
): Promise<KeyringSession> {
  const runtime = join(home, 'run');
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const own = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_RUNTIME_DIR: runtime };
  const begin = password === null ? '--start' : '--unlock';
  // The session lasts as long as `cat` is fed.
  const script = `head -n 1 | tr -d '\\n' | gnome-keyring-daemon ${begin} --components=secrets >/dev/null 2>&1
    echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat`;
  const child = spawn('dbus-run-session', ['--', 'sh', '-c', script], {
    env: own,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  child.stdin.write(`${password ?? ''}\n`);
  const [address] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return {
    env: { ...own, DBUS_SESSION_BUS_ADDRESS: address.trim() },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
