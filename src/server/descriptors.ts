// How many clients the descriptors of this process allow. Owns the reserve that is left for everything else.
import { readFileSync } from 'node:fs';
import { report } from 'node:process';

/** A client and its way upstream. */
const DESCRIPTORS_PER_CLIENT = 2;
/** Idle connections, dials to two addresses at once, files, libraries, and those who wait or are told that all is full. */
const RESERVE_SHARE = 0.1;
const MIN_RESERVE = 128;
/** Without a limit of the system, as on Windows, memory is one: 15 kB a tunnel. */
const MAX_CLIENTS = 20_000;

export interface ClientLimits {
  readonly capacity: number;
  /** How many more may be held while they wait. */
  readonly waiting: number;
  /** How many more while they are told that all is full. */
  readonly leaving: number;
}

/** @param limit the soft limit of open descriptors, `null` where there is none */
export function clientLimits(limit: number | null = descriptorLimit()): ClientLimits {
  if (limit === null) {
    return { capacity: MAX_CLIENTS, waiting: MAX_CLIENTS / 10, leaving: MAX_CLIENTS / 10 };
  }
  const reserve = Math.max(MIN_RESERVE, Math.floor(limit * RESERVE_SHARE));
  const free = Math.floor((limit - reserve) / DESCRIPTORS_PER_CLIENT);
  return {
    capacity: Math.min(Math.max(free, 1), MAX_CLIENTS),
    waiting: Math.floor(reserve / 4),
    leaving: Math.floor(reserve / 2),
  };
}

/** Node raises its soft limit to the hard one when it starts; this is what it has got. */
function descriptorLimit(): number | null {
  try {
    const [, soft] =
      /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === undefined ? null : Number(soft);
  } catch {
    return process.platform === 'win32' ? null : reportedLimit();
  }
}

/** Some 10 ms; for systems without /proc. */
function reportedLimit(): number | null {
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = Number(userLimits?.open_files?.soft);
  return Number.isSafeInteger(soft) ? soft : null;
}
