// Keytab files made here, byte by byte; a real one is read in test/lab/gssapi.test.ts.
import { describe, expect, it } from 'vitest';
import { firstPrincipal, readClientKeytab } from './client-keytab.ts';

describe('firstPrincipal()', () => {
  it('names the first entry', () => {
    const file = keytab(entry('CORP.EXAMPLE', 'alice'), entry('CORP.EXAMPLE', 'bob'));
    expect(firstPrincipal(file)).toBe('alice@CORP.EXAMPLE');
  });

  it('joins the components of a service', () => {
    expect(firstPrincipal(keytab(entry('CORP.EXAMPLE', 'HTTP', 'proxy')))).toBe(
      'HTTP/proxy@CORP.EXAMPLE',
    );
  });

  it('passes over the hole a removed entry left', () => {
    const hole = entry('CORP.EXAMPLE', 'gone');
    hole.writeInt32BE(-hole.readInt32BE(0), 0);
    expect(firstPrincipal(keytab(hole, entry('CORP.EXAMPLE', 'bob')))).toBe('bob@CORP.EXAMPLE');
  });

  it('says nothing of an empty file of keys, or of another version', () => {
    expect(firstPrincipal(keytab())).toBeNull();
    expect(firstPrincipal(Buffer.from('0501', 'hex'))).toBeNull();
  });

  it('throws when the file is cut', () => {
    const file = keytab(entry('CORP.EXAMPLE', 'alice'));
    expect(() => firstPrincipal(file.subarray(0, 8))).toThrow(RangeError);
  });
});

describe('readClientKeytab()', () => {
  it('says nothing when there is no name, no file, or nothing in it', () => {
    expect(readClientKeytab('')).toBeNull();
    expect(readClientKeytab('FILE:/nonexistent/keytab')).toBeNull();
    expect(readClientKeytab('/dev/null')).toBeNull();
  });

  it('comes back from a device that never ends', () => {
    expect(readClientKeytab('/dev/zero')).toBeNull();
  });
});

function keytab(...entries: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('0502', 'hex'), ...entries]);
}

/** Size, number of components, realm, components, then a name type, a time and a key that nobody reads. */
function entry(realm: string, ...components: readonly string[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(components.length);
  const body = Buffer.concat([count, ...[realm, ...components].map(counted), Buffer.alloc(30)]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

function counted(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}
