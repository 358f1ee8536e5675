// Names inside NTLM messages (MS-NLMP 2.2): UTF-16LE without BOM or NUL, or 8-bit characters where a server has
// chosen OEM. Owns the refusal to guess a code page.
import { SallyportError } from '../errors/sallyport-error.ts';
import { hasFlags, NTLM_FLAGS } from './flags.ts';

const ASCII = /^[\0-\x7f]*$/;

/** UTF-16LE, lone surrogates kept. */
export function utf16le(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

/**
 * Writes a name in the character set the flags select.
 *
 * @param field how errors call it; the name itself is never shown
 * @throws SallyportError CREDENTIALS_INVALID for a name beyond ASCII where the server takes no Unicode
 */
export function encodeName(name: string, flags: number, field: string): Buffer {
  if (hasFlags(flags, NTLM_FLAGS.UNICODE)) {
    return utf16le(name);
  }
  if (!ASCII.test(name)) {
    throw new SallyportError(
      'CREDENTIALS_INVALID',
      `The server takes no Unicode, and the ${field} has characters beyond ASCII`,
    );
  }
  return Buffer.from(name, 'latin1');
}

/** Reads a name; `null` when Unicode is selected and the length is odd. OEM is shown as Latin-1. */
export function decodeName(bytes: Uint8Array, flags: number): string | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!hasFlags(flags, NTLM_FLAGS.UNICODE)) {
    return view.toString('latin1');
  }
  return bytes.length % 2 === 0 ? view.toString('utf16le') : null;
}
