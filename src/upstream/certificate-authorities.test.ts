import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecureContext, TLSSocket } from 'node:tls';
import { connect, createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SystemCertificates } from '../settings/system-certificates.ts';
import { createTestCertificates } from '../testing/index.ts';
import { trustOf } from './certificate-authorities.ts';

const { ca, key, cert } = createTestCertificates();
const ODD = '-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----';
const folder = mkdtempSync(join(tmpdir(), 'sallyport-trust-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const server = createServer({ key, cert }, (socket) => socket.end());
let port = 0;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});

const store = (...certificates: string[]) => {
  const reads: NodeJS.ProcessEnv[] = [];
  const read = async ({ env }: { env: NodeJS.ProcessEnv }): Promise<SystemCertificates> => {
    reads.push(env);
    return { from: 'the store', certificates };
  };
  return { reads, read };
};

/** `trusted`, or the word of the refusal. */
async function verdict(secureContext: SecureContext | undefined): Promise<string> {
  const options = { host: '127.0.0.1', port, ...(secureContext ? { secureContext } : {}) };
  const socket: TLSSocket = connect(options);
  const word = await new Promise<string>((resolve) => {
    socket.once('secureConnect', () => resolve('trusted'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  socket.destroy();
  await new Promise((resolve) => socket.once('close', resolve));
  return word;
}

describe('trustOf()', () => {
  it('trusts the system’s store beside what Node trusts, odd certificates left out', async () => {
    const trust = await trustOf({ ca: undefined, systemCa: true, env: {} }, store(ODD, ca).read);
    expect(await verdict(await trust.secureContext())).toBe('trusted');
    expect(trust.system?.from).toBe('the store');
    // The roots Node shares among all connections are as they were.
    expect(await verdict(undefined)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  it('leaves the store alone when it is turned off', async () => {
    const { reads, read } = store(ca);
    const trust = await trustOf({ ca: undefined, systemCa: false, env: {} }, read);
    expect(await verdict(await trust.secureContext())).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(reads).toEqual([]);
    expect(trust.system).toBeUndefined();
  });

  it.each([true, false])(
    'trusts the named file, whatever the store says (%s)',
    async (systemCa) => {
      const sources = { ca: file('named.pem', ca), systemCa, env: {} };
      const trust = await trustOf(sources, store().read);
      expect(await verdict(await trust.secureContext())).toBe('trusted');
    },
  );

  it('trusts NODE_EXTRA_CA_CERTS, and passes it by where it cannot be read', async () => {
    const contextFor = async (extra: string) => {
      const sources = { ca: undefined, systemCa: true, env: { NODE_EXTRA_CA_CERTS: extra } };
      return (await trustOf(sources, store().read)).secureContext();
    };
    expect(await verdict(await contextFor(file('extra.pem', ca)))).toBe('trusted');
    expect(await verdict(await contextFor(join(folder, 'missing')))).toBe(
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    );
  });

  it('reads the store at the first connection, once for all with the same sources', async () => {
    const { reads, read } = store(ca);
    const sources = { ca: undefined, systemCa: true, env: { SSL_CERT_FILE: '/x' } };
    const trust = await trustOf(sources, read);
    expect(reads).toEqual([]);
    const [first, second] = await Promise.all([trust.secureContext(), trust.secureContext()]);
    const other = await (await trustOf(sources, read)).secureContext();
    expect(second).toBe(first);
    expect(other).toBe(first);
    expect(reads).toEqual([{ SSL_CERT_FILE: '/x' }]);
    await (await trustOf({ ...sources, env: { SSL_CERT_FILE: '/y' } }, read)).secureContext();
    expect(reads).toHaveLength(2);
  });

  it.each([
    ['a file that is not there', () => join(folder, 'missing')],
    ['a file without certificates', () => file('empty.pem', 'nothing')],
    ['a file of more than 16 MiB', () => file('long.pem', ca.padEnd(16 * 1024 * 1024 + 1))],
    ['a file with an odd one', () => file('odd.pem', `${ca}\n${ODD}`)],
  ])('refuses %s with CA_UNREADABLE', async (_, path) => {
    await expect(trustOf({ ca: path(), systemCa: false, env: {} })).rejects.toMatchObject({
      code: 'CA_UNREADABLE',
    });
  });
});
