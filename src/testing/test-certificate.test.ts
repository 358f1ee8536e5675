import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createTestCertificates } from './test-certificate.ts';

describe('createTestCertificates()', () => {
  it.each(['127.0.0.1', 'localhost'])('passes full verification of TLS to %s', async (host) => {
    const { ca, key, cert } = createTestCertificates();
    const server = createServer({ key, cert }, (accepted) => accepted.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const socket = connect({
      host: '127.0.0.1',
      port,
      ca,
      servername: host === 'localhost' ? host : '',
    });
    const [data] = await once(socket, 'data');

    expect(socket.authorized).toBe(true);
    expect(String(data)).toBe('hello');
    socket.destroy();
    server.close();
    await once(server, 'close');
  });

  it.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)(
    'signs itself with %s',
    (signatureHash) => {
      const certificate = new X509Certificate(createTestCertificates({ signatureHash }).cert);

      expect(certificate.verify(certificate.publicKey)).toBe(true);
      expect(certificate.subjectAltName).toBe(
        'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
      );
      expect(certificate.ca).toBe(true);
    },
  );

  it('is valid now, for a day, with a serial number and a key of its own', () => {
    const [one, other] = [createTestCertificates(), createTestCertificates()];
    const certificate = new X509Certificate(one.cert);
    const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;

    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
    expect(days).toBeGreaterThan(0.99);
    expect(days).toBeLessThanOrEqual(1);
    expect(other.key).not.toBe(one.key);
    expect(new X509Certificate(other.cert).serialNumber).not.toBe(certificate.serialNumber);
  });
});
