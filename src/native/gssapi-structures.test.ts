// Both layouts, byte for byte; no library is asked (test/lab and scripts/verify-macos.mjs ask real ones).
import { describe, expect, it } from 'vitest';
import {
  formatBindings,
  formatBuffer,
  formatOid,
  formatOidSet,
  gssLayout,
  parseBuffer,
  parseOid,
  parseOidSet,
} from './gssapi-structures.ts';

const NATURAL = gssLayout('linux', 'x64');
const PACKED = gssLayout('darwin', 'x64');
const AT = { address: 0x1122_3344_5566_7788n, length: 0x0a0b };
const POINTER = '8877665544332211';

describe('gssLayout()', () => {
  it.each([
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'arm64'],
  ] as const)('is natural on %s %s', (platform, arch) => {
    expect(gssLayout(platform, arch)).toEqual({
      buffer: { bytes: 16, length: 0, value: 8 },
      oid: { bytes: 16, length: 0, elements: 8 },
      oidSet: { bytes: 16, count: 0, elements: 8 },
      bindings: { bytes: 64, applicationData: 48 },
    });
  });

  it('is packed to 2 bytes on macOS on Intel', () => {
    expect(PACKED).toEqual({
      buffer: { bytes: 16, length: 0, value: 8 },
      oid: { bytes: 12, length: 0, elements: 4 },
      oidSet: { bytes: 16, count: 0, elements: 8 },
      bindings: { bytes: 56, applicationData: 40 },
    });
  });
});

describe('the structures', () => {
  it('formatOid() puts the pointer behind padding, or packed', () => {
    expect(formatOid(NATURAL, AT).toString('hex')).toBe(`0b0a000000000000${POINTER}`);
    expect(formatOid(PACKED, AT).toString('hex')).toBe(`0b0a0000${POINTER}`);
  });

  it('formatBuffer() and formatOidSet() are alike in both', () => {
    const hex = `0b0a000000000000${POINTER}`;
    for (const layout of [NATURAL, PACKED]) {
      expect(formatBuffer(layout, AT).toString('hex')).toBe(hex);
      expect(formatOidSet(layout, AT.address, AT.length).toString('hex')).toBe(hex);
    }
  });

  it('formatBindings() has application data only, behind two empty addresses', () => {
    const data = `0b0a000000000000${POINTER}`;
    // Type, address (length, pointer), type, address: 24 bytes each, 20 packed.
    expect(formatBindings(NATURAL, AT).toString('hex')).toBe('00'.repeat(48) + data);
    expect(formatBindings(PACKED, AT).toString('hex')).toBe('00'.repeat(40) + data);
  });

  it('what was written is read back', () => {
    for (const layout of [NATURAL, PACKED]) {
      expect(parseBuffer(layout, formatBuffer(layout, AT))).toEqual(AT);
      expect(parseOid(layout, formatOid(layout, AT))).toEqual(AT);
      expect(parseOidSet(layout, formatOidSet(layout, AT.address, AT.length))).toEqual(AT);
    }
  });
});
