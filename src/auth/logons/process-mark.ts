// Which process wrote something, so that another can tell whether it still runs. Owns the telling of a process from a
// later one with its number.
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process as others find it. */
export interface ProcessMark {
  readonly pid: number;
  /** When it began, in the system's own unit; empty where it cannot be had. */
  readonly start: string;
  /** Machine, boot and container: process numbers of another one say nothing here. */
  readonly space: string;
}

let own: ProcessMark | null = null;

/** The mark of this process. */
export function ownMark(): ProcessMark {
  own ??= { pid: process.pid, start: startOf(process.pid), space: readSpace() };
  return own;
}

/** Whether that process runs; `null` when it lives where this one cannot look. */
export function isRunning({ pid, start, space }: ProcessMark): boolean | null {
  if (space !== ownMark().space) {
    return null;
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: somebody else's process has the number; whether it is the one, its start tells.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') {
      return false;
    }
  }
  return start === '' || startOf(pid) === start;
}

function readSpace(): string {
  const boot = orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const container = orEmpty(() => readlinkSync('/proc/self/ns/pid'));
  return [hostname(), boot, container].join(' ');
}

/**
 * Field 22 of proc_pid_stat(5): ticks since boot. The name before it may hold anything, parentheses included. A zombie
 * (state Z) has ended, though its number is still taken.
 */
function startOf(pid: number): string {
  const stat = orEmpty(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? 'ended' : (fields[18] ?? '');
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
