// The stage of the embedded tests: users, certificates and a client that knows them. Each test makes its own proxy
// and origin, and ends them.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogonGate } from '../../src/auth/logons/logon-gate.ts';
import { createTestCertificates } from '../../src/testing/index.ts';
import type { SallyportOptions } from '../../src/upstream/settings.ts';
import { resolveSettings } from '../../src/upstream/settings.ts';
import type { UpstreamDeps } from '../../src/upstream/upstream.ts';
import { Upstream } from '../../src/upstream/upstream.ts';

export const ALICE = { name: 'alice', domain: 'CORP', password: 'Alice-Secret1' };

/** For proxies and origins alike. */
export const CERTIFICATES = createTestCertificates();
export const SCRATCH = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
export const CA_FILE = join(SCRATCH, 'ca.pem');
writeFileSync(CA_FILE, CERTIFICATES.ca);

/** Alice, as a command is told of her. */
export const AS_ALICE = { SALLYPORT_USER: 'CORP\\alice', SALLYPORT_PASSWORD: ALICE.password };

/** A new folder, which nobody else writes into. */
export function ownFolder(name: string): string {
  return mkdtempSync(join(SCRATCH, `${name}-`));
}

/** A client with alice's credentials, and with a gate of its own. Where a deadline is the subject, the test sets it. */
export async function clientOfAlice(
  options: SallyportOptions,
  deps: UpstreamDeps & { readonly gate?: LogonGate } = {},
): Promise<Upstream> {
  const settings = await resolveSettings({
    user: 'CORP\\alice',
    password: ALICE.password,
    ca: CA_FILE,
    config: EMPTY_CONFIG,
    env: {},
    handshakeTimeoutMs: 10_000,
    idleTimeoutMs: 20_000,
    ...options,
  });
  return new Upstream(settings, deps.gate ?? new LogonGate(), deps);
}

/** The configuration of whoever runs the tests must not count. */
const EMPTY_CONFIG = join(SCRATCH, 'config.json');
writeFileSync(EMPTY_CONFIG, '{}');

export async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) {
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}
