// Channel bindings over certificates of every kind of signature, made by openssl: an embedded TLS proxy that demands them
// gets the right ones, and refuses missing and wrong ones.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createCorporateProxy,
  createOrigin,
  createTestCertificates,
} from '../../src/testing/index.ts';
import { clientOf } from './clients.ts';
import { ensureLab } from './lab.ts';

const lab = await ensureLab();
const SCRATCH = mkdtempSync(join(tmpdir(), 'sallyport-binding-'));
const ALICE = { name: 'alice', domain: 'CORP', password: 'Alice-Secret1' };
const AS_ALICE = { typed: 'CORP\\alice', password: ALICE.password };

const RSA = ['-newkey', 'rsa:2048'];
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const PSS = ['-sigopt', 'rsa_padding_mode:pss'];
const KINDS: readonly (readonly [string, readonly string[]])[] = [
  ...['sha1', 'sha224', 'sha256', 'sha384', 'sha512'].flatMap((hash) => [
    [`RSA ${hash}`, [...RSA, `-${hash}`]] as const,
    [`ECDSA ${hash}`, [...EC, `-${hash}`]] as const,
  ]),
  ...['sha256', 'sha384', 'sha512'].map(
    (hash) => [`RSASSA-PSS ${hash}`, [...RSA, `-${hash}`, ...PSS]] as const,
  ),
];

function certificate(name: string, options: readonly string[]) {
  const base = join(SCRATCH, name.replaceAll(' ', '-'));
  const common = ['-x509', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', `${base}.key`, '-out', `${base}.crt`];
  execFileSync('openssl', ['req', ...common, ...names, ...files, ...options], { stdio: 'ignore' });
  return { key: readFileSync(`${base}.key`, 'utf8'), cert: readFileSync(`${base}.crt`, 'utf8') };
}

afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }));

describe.skipIf(!lab.available)('a TLS proxy that demands the channel binding', () => {
  it.each(KINDS)('gets it with a certificate signed by %s', async (name, options) => {
    const tls = certificate(name, options);
    const ca = join(SCRATCH, `${name.replaceAll(' ', '-')}.crt`);
    for (const scheme of ['NTLM', 'Negotiate'] as const) {
      await using proxy = await createCorporateProxy({
        ...{ schemes: [scheme], users: [ALICE], tls, requireChannelBinding: true },
      });
      await using origin = await createOrigin();
      await using client = await clientOf(AS_ALICE, { proxy: proxy.url, ca });
      const { status, body } = await client.request(`${origin.url}/bytes/1`);
      body.resume();
      expect([status, proxy.counts().refused]).toEqual([200, 0]);
    }
  });

  it('refuses the binding to another certificate, as a box between would show one', async () => {
    const [own, other] = [createTestCertificates(), createTestCertificates()];
    await using proxy = await createCorporateProxy({
      ...{ schemes: ['NTLM'], users: [ALICE], tls: own, requireChannelBinding: true },
    });
    await using box = await tlsBox(other, proxy.port);
    const ca = join(SCRATCH, 'box.pem');
    execFileSync('sh', ['-c', 'cat > "$0"', ca], { input: other.ca });
    await using client = await clientOf(AS_ALICE, { proxy: `https://127.0.0.1:${box.port}`, ca });
    const answer = await client.connect('127.0.0.1:9');
    answer.socket.destroy();
    expect(answer).toMatchObject({ status: 407, refusal: { code: 'CREDENTIALS_REFUSED' } });
    expect(proxy.log.map(({ reason }) => reason)).toContain('channel-binding');
  });
});

/** Ends TLS with a certificate of its own and goes on with TLS of its own, as inspecting boxes do. */
async function tlsBox(
  { key, cert }: { readonly key: string; readonly cert: string },
  to: number,
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer({ key, cert }, (inner) => {
    const outer = connect({ host: '127.0.0.1', port: to, rejectUnauthorized: false });
    inner.on('error', () => outer.destroy()).pipe(outer);
    outer.on('error', () => inner.destroy()).pipe(inner);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
