import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { describe, expect, it, vi } from 'vitest';
import { hmacMd5, md5 } from './md5.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('md5()', () => {
  it('hashes its parts as one (RFC 1321, appendix A.5)', () => {
    expect(hex(md5(Buffer.from('a'), Buffer.from('bc')))).toBe('900150983cd24fb0d6963f7d28e17f72');
  });
});

describe('hmacMd5()', () => {
  it('hashes its parts as one (RFC 2202, test case 2)', () => {
    const parts = ['what do ya want ', 'for nothing?'].map((part) => Buffer.from(part));
    expect(hex(hmacMd5(Buffer.from('Jefe'), ...parts))).toBe('750c783e6ab0b503eaa86e310a5db738');
  });
});

describe('a Node without MD5', () => {
  // What OpenSSL answers in FIPS mode. `setFips()` itself is not for worker threads, nor to be undone.
  const refuse = () => {
    throw Object.assign(new Error('unsupported'), { code: 'ERR_OSSL_EVP_UNSUPPORTED' });
  };

  it.each([
    ['md5()', 'createHash' as const, () => md5(new Uint8Array())],
    ['hmacMd5()', 'createHmac' as const, () => hmacMd5(new Uint8Array(), new Uint8Array())],
  ])('makes %s say so in plain words', (_name, primitive, call) => {
    const spy = vi.spyOn(crypto, primitive).mockImplementation(refuse);
    syncBuiltinESMExports();
    try {
      expect(call).toThrow(expect.objectContaining({ code: 'CRYPTO_UNAVAILABLE' }));
    } finally {
      spy.mockRestore();
      syncBuiltinESMExports();
    }
  });
});
