// What this process holds at a moment of quiet: memory after a collection, descriptors, handles. Owns the readings.
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export interface Reading {
  /** Objects and the buffers they hold, in bytes. */
  readonly heap: number;
  /** Resident set, in bytes. */
  readonly rss: number;
  /** Open descriptors; `null` where there is no /proc. */
  readonly descriptors: number | null;
}

/** Sockets tell of their end a turn or two later. */
const SETTLE_MS = 30;

/** @throws Error unless node was started with --expose-gc */
export async function readGauges(): Promise<Reading> {
  if (globalThis.gc === undefined) {
    throw new Error('The soak wants node --expose-gc: run npm run soak');
  }
  await pause(SETTLE_MS);
  globalThis.gc();
  // What finalizers have let go.
  await pause(1);
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss, descriptors: countDescriptors() };
}

export function countDescriptors(): number | null {
  try {
    // One of them is that of the listing itself.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}

/** What keeps the process alive, with its number: `PipeWrap 1, TTYWrap 2`. */
export function activeResources(): string {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .map(([name, count]) => `${name} ${count}`)
    .sort()
    .join(', ');
}

/** Waits until a condition holds, for five seconds at most. @returns whether it does */
export async function comesTrue(condition: () => boolean): Promise<boolean> {
  const deadline = performance.now() + 5_000;
  while (!condition() && performance.now() < deadline) {
    await pause(20);
  }
  return condition();
}
