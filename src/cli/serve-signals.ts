// The signals of `serve`: the two that end it, and SIGHUP, which means another thing with a terminal that is gone. Owns their meaning.
import { isatty } from 'node:tty';

export interface ServeSignals {
  /** Resolves at the first SIGINT or SIGTERM. */
  readonly stop: Promise<void>;
  /** At the second one: nothing is waited for. */
  readonly stopNow: Promise<void>;
}

/** @param reload is called at SIGHUP, as daemons take it, unless it says that the terminal has been closed */
export function listenToSignals(reload: () => void): ServeSignals {
  const ends: (() => void)[] = [];
  const [stop, stopNow] = [0, 1].map(() => new Promise<void>((resolve) => ends.push(resolve))) as [
    Promise<void>,
    Promise<void>,
  ];
  const end = (): void => ends.shift()?.();
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', () => (isHangup(terminals) ? end() : reload()));
  return { stop, stopNow };
}

/** What was a terminal is none any more. Windows sends SIGHUP for a closed window only. */
function isHangup(terminals: readonly number[]): boolean {
  return (
    process.platform === 'win32' ||
    (terminals.length > 0 && terminals.every((descriptor) => !isatty(descriptor)))
  );
}
