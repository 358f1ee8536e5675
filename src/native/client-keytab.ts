// The client keytab for Heimdal, which unlike MIT does not look for `KRB5_CLIENT_KTNAME` (7.8). Owns reading whose keys a
// keytab file holds (krb5's keytab file format, version 2); keys themselves are not looked at.
import { closeSync, openSync, readSync } from 'node:fs';

const FILE_VERSION = 0x0502;
/** Only the first entry counts; a whole keytab of a user has some hundred bytes. */
const MAX_BYTES = 64 * 1024;

export interface ClientKeytab {
  readonly path: string;
  /** Of the first entry, `alice@CORP.EXAMPLE`. */
  readonly principal: string;
}

/**
 * The keytab that the environment names, where it can be read.
 *
 * @param name `FILE:/path` or a path
 */
export function readClientKeytab(
  name: string | undefined = process.env['KRB5_CLIENT_KTNAME'],
): ClientKeytab | null {
  const path = name?.replace(/^(?:WR)?FILE:/u, '');
  if (path === undefined || path === '') {
    return null;
  }
  try {
    const principal = firstPrincipal(readStart(path));
    return principal === null ? null : { path, principal };
  } catch {
    return null;
  }
}

function readStart(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(MAX_BYTES);
    return bytes.subarray(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

/** @throws RangeError when the file ends early */
export function firstPrincipal(file: Buffer): string | null {
  if (file.readUInt16BE(0) !== FILE_VERSION) {
    return null;
  }
  let offset = 2;
  while (offset < file.length) {
    const size = file.readInt32BE(offset);
    if (size > 0) {
      return readPrincipal(file, offset + 4);
    }
    // A hole left by a removed entry, of the size without its sign; 0 ends the file.
    offset = size === 0 ? file.length : offset + 4 - size;
  }
  return null;
}

/** Number of components, realm, components; each text behind its length. */
function readPrincipal(file: Buffer, start: number): string {
  let offset = start + 2;
  const texts = Array.from({ length: file.readUInt16BE(start) + 1 }, () => {
    const end = offset + 2 + file.readUInt16BE(offset);
    const text = file.toString('utf8', offset + 2, end);
    offset = end;
    return text;
  });
  const [realm = '', ...components] = texts;
  return `${components.join('/')}@${realm}`;
}
