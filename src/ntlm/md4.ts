// MD4 (RFC 1320), which OpenSSL 3 no longer has: hash-wasm's, loaded on first use, so that it costs nothing before.
import { SallyportError } from '../errors/sallyport-error.ts';

/** Loads and compiles what `md4` needs, 10 ms of the first sign-on, while a challenge is awaited. A failure is told by `md4`. */
export function prepareMd4(): void {
  load()
    .then(({ md4: hash }) => hash(new Uint8Array()))
    .catch(() => undefined);
}

/**
 * MD4: 16 bytes.
 *
 * @throws SallyportError CRYPTO_UNAVAILABLE where WebAssembly is switched off
 */
export async function md4(data: Uint8Array): Promise<Uint8Array> {
  try {
    const hashWasm = await load();
    return Uint8Array.from(Buffer.from(await hashWasm.md4(data), 'hex'));
  } catch (cause) {
    throw unavailable(cause);
  }
}

async function load() {
  return (await import('hash-wasm/dist/md4.umd.min.js')).default;
}

function unavailable(cause: unknown): SallyportError {
  return new SallyportError('CRYPTO_UNAVAILABLE', 'MD4 is not available in this Node', {
    hint: 'NTLM needs WebAssembly for MD4: run Node without --jitless',
    cause,
  });
}
