import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createTestCertificates } from '../test-certificate.ts';
import { expectedChannelBinding } from './channel-binding.ts';

/** Self-signed by OpenSSL with RSASSA-PSS and SHA-384. */
const PSS_SHA384 = `-----BEGIN CERTIFICATE-----
MIIDdTCCAimgAwIBAgIUGBuVp9k9RvNNPk0Cj0KE0aF6qPYwQQYJKoZIhvcNAQEK
MDSgDzANBglghkgBZQMEAgIFAKEcMBoGCSqGSIb3DQEBCDANBglghkgBZQMEAgIF
AKIDAgEgMBUxEzARBgNVBAMMCnBzcy1zaGEzODQwIBcNMjYxMTIzMjE1MjI0WhgP
MjEyNjEwMzAyMTUyMjRaMBUxEzARBgNVBAMMCnBzcy1zaGEzODQwggEiMA0GCSqG
SIb3DQEBAQUAA4IBDwAwggEKAoIBAQDRD4HIbn4BM22o2vSXKacwhUZRYnWeLgk4
T8kNnUqcF1j+e9fpWwPE3lqBJ6/ED5Jd7w5mSFYO5JKlyO3NuQlJagrhjrJ3/vKx
+0kpOjEW6NGEOjj8C+gZYrP7hVNWVpF7+zUFBIGnLVyokmHi5V6bLEo/SxHwp0wT
jJHLCZtnMI/q3kVEcWD61PZbvjum+X949+YUVGdtx/s5pj5DWlubAAevNdTAvu/K
mnAsNxl8TCpCg/ilwzGVOFFJXWS0ozMHCSLoFRFTWRzzO1zimNfYooWs9/ejOPyz
DxuQ/RXNV0NBIreqvOHOXrVeW+v/yXT04v33iXwsKLM5RSWjwLOLAgMBAAGjUzBR
MB0GA1UdDgQWBBRV8F1AYDMRBidH85S+Ckr1O/6oCzAfBgNVHSMEGDAWgBRV8F1A
YDMRBidH85S+Ckr1O/6oCzAPBgNVHRMBAf8EBTADAQH/MEEGCSqGSIb3DQEBCjA0
oA8wDQYJYIZIAWUDBAICBQChHDAaBgkqhkiG9w0BAQgwDQYJYIZIAWUDBAICBQCi
AwIBIAOCAQEAQ5j6lEGotgV/wkxjqKLutnBJGpdlUN6tdFDkn1NwB9MD08xvB5V8
c57KykyyK0FtoKi5yyu1CCYf+mAwAnLIwLt4LUed3xWXUtpWV31xzDJf4OscwyRI
dnyS6/1PD4ii0GGaDosImu4EelHB3tZQ5vTp4F1k83GrIttKDlUB7mloEs5viVpx
ijxfPVevMNA55YCyVjqV4KcaAyXAhwyqc+U62os0suOri1+TfIdK5YXKZAP64RkW
YnT/LtTWx68P+Y67CeZamvOxhydZYy6hnml16xpRk3W/OZDRjIGW9LSw9OzP6mxj
zNbRPk2C+olWnsCJDLzWQdPEl/vOD2z7tw==
-----END CERTIFICATE-----
`;

describe('expectedChannelBinding()', () => {
  it.each([
    ['sha1', 'sha256'],
    ['sha256', 'sha256'],
    ['sha384', 'sha384'],
    ['sha512', 'sha512'],
  ] as const)(
    'takes, for a signature with %s, the %s of the certificate',
    (signatureHash, hash) => {
      const { cert } = createTestCertificates({ signatureHash });

      expect(expectedChannelBinding(cert)).toEqual(bindingBy(hash, cert));
    },
  );

  it('reads the hash of RSASSA-PSS from its parameters', () => {
    expect(expectedChannelBinding(PSS_SHA384)).toEqual(bindingBy('sha384', PSS_SHA384));
  });
});

/** RFC 5929 section 4.1 inside RFC 2744 section 3.11, spelled out. */
function bindingBy(hash: string, pem: string): Buffer {
  const digest = createHash(hash).update(new X509Certificate(pem).raw).digest('hex');
  const data = `${Buffer.from('tls-server-end-point:').toString('hex')}${digest}`;
  const length = Buffer.from([data.length / 2, 0, 0, 0]).toString('hex');
  return createHash('md5')
    .update(Buffer.from(`${'00'.repeat(16)}${length}${data}`, 'hex'))
    .digest();
}
