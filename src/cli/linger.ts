// Waiting for what a program has left running: until nobody has used the local proxy for a while. Owns the quiet that ends the
// wait.
import { setTimeout as pause } from 'node:timers/promises';
import type { ProxyServer } from '../server/local-proxy.ts';

/** A program that downloads one thing after the other is silent for a moment in between. */
const QUIET_MS = 5000;

/** Resolves when nobody has been connected for a while, which begins now at the earliest. */
export async function untilQuiet(
  proxy: Pick<ProxyServer, 'activity'>,
  quietMs: number = QUIET_MS,
): Promise<void> {
  const began = performance.now();
  for (;;) {
    const { clients, quietMs: quiet } = proxy.activity;
    const restMs = quietMs - Math.min(quiet, performance.now() - began);
    if (clients === 0 && restMs <= 0) {
      return;
    }
    await pause(Math.max(restMs, quietMs / 10));
  }
}
