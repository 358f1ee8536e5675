import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDer, readDerList, writeDer, writeOid } from './der.ts';

describe('readDer()', () => {
  it('gives back what writeDer() wrote, whatever follows', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0x04, 0x30, 0x60, 0xa1),
        fc.uint8Array({ maxLength: 400 }),
        fc.uint8Array({ maxLength: 8 }),
        (tag, content, behind) => {
          const encoded = writeDer(tag, content);
          const element = readDer(Buffer.concat([encoded, behind]));
          expect(element).toEqual({ tag, content: Buffer.from(content), encoded });
        },
      ),
    );
  });

  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['a content that is cut short', '300504'],
    ['a length that is cut short', '3082'],
    ['an indefinite length', '30800000'],
    ['a length of four bytes', '308400000000'],
    ['a multi-byte tag', '1f0100'],
  ])('gives null for %s', (_, hex) => {
    expect(readDer(Buffer.from(hex, 'hex'))).toBeNull();
  });
});

describe('readDerList()', () => {
  it('gives null when bytes are left over that are no element', () => {
    expect(readDerList(Buffer.from('040101ff', 'hex'))).toBeNull();
  });

  it('stops at 64 elements', () => {
    expect(readDerList(Buffer.from('0500'.repeat(64), 'hex'))).toHaveLength(64);
    expect(readDerList(Buffer.from('0500'.repeat(65), 'hex'))).toBeNull();
  });
});

describe('writeOid()', () => {
  it.each([
    ['1.3.6.1.5.5.2', '06062b0601050502'],
    ['1.2.840.10045.4.3.2', '06082a8648ce3d040302'],
    ['1.3.6.1.4.1.311.2.2.10', '060a2b06010401823702020a'],
  ])('writes %s', (dotted, hex) => {
    expect(writeOid(dotted).toString('hex')).toBe(hex);
  });
});
