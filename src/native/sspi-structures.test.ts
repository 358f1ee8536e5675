import { describe, expect, it } from 'vitest';
import {
  layOut,
  pack,
  packChannelBindings,
  packIdentity,
  SSPI_STRUCT,
  sizeOf,
  unpack,
} from './sspi-structures.ts';

/** Offsets of all members, then the size: sspi.h as the Windows SDK lays it out. */
const TABLE: readonly [keyof typeof SSPI_STRUCT, readonly number[], readonly number[]][] = [
  ['SecHandle', [0, 8, 16], [0, 4, 8]],
  ['SecBuffer', [0, 4, 8, 16], [0, 4, 8, 12]],
  ['SecBufferDesc', [0, 4, 8, 16], [0, 4, 8, 12]],
  ['Identity', [0, 8, 16, 24, 32, 40, 44, 48], [0, 4, 8, 12, 16, 20, 24, 28]],
  [
    'ExtendedIdentity',
    [0, 4, 8, 16, 24, 32, 40, 48, 52, 56, 64, 72],
    [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44],
  ],
  ['PackageInfo', [0, 4, 6, 8, 16, 24, 32], [0, 4, 6, 8, 12, 16, 20]],
  ['NegotiationInfo', [0, 8, 16], [0, 4, 8]],
  ['Pointer', [0, 8], [0, 4]],
];

describe('layOut()', () => {
  it.each(TABLE)('places the members of %s as Windows does', (name, wide, narrow) => {
    const told = (pointerBytes: number): number[] => {
      const { offsets, size } = layOut(SSPI_STRUCT[name], pointerBytes);
      return [...Object.values(offsets), size];
    };
    expect(told(8)).toEqual(wide);
    expect(told(4)).toEqual(narrow);
  });

  it('has a row here for each structure', () => {
    expect(TABLE.map(([name]) => name)).toEqual(Object.keys(SSPI_STRUCT));
  });
});

describe('pack()', () => {
  it.each([
    [8, '0c000000020000008877665544332211'],
    [4, '0c0000000200000044332211'],
  ])('writes what unpack() reads, with pointers of %i bytes', (pointerBytes, hex) => {
    const address = pointerBytes === 8 ? 0x1122_3344_5566_7788n : 0x1122_3344n;
    const values = { length: 12, type: 2, bytes: address };
    const bytes = pack(SSPI_STRUCT.SecBuffer, values, pointerBytes);
    expect(bytes.toString('hex')).toBe(hex);
    expect(unpack(SSPI_STRUCT.SecBuffer, bytes, pointerBytes)).toEqual(values);
  });

  it('leaves members that are not given zero', () => {
    expect(pack(SSPI_STRUCT.SecBufferDesc, { count: 1 }, 8).toString('hex')).toBe(
      `00000000010000000000000000000000`,
    );
  });
});

describe('packIdentity()', () => {
  const texts = {
    user: { address: 0x1000n, length: 3 },
    domain: { address: 0n, length: 0 },
    password: { address: 0x2000n, length: 8 },
  };

  it('makes the older structure without a package list', () => {
    const bytes = packIdentity(texts, null, 8);
    expect(unpack(SSPI_STRUCT.Identity, bytes, 8)).toEqual({
      user: 0x1000n,
      userLength: 3,
      domain: 0n,
      domainLength: 0,
      password: 0x2000n,
      passwordLength: 8,
      flags: 2,
    });
  });

  it.each([8, 4])('makes the extended one with it, %i bytes a pointer', (pointerBytes) => {
    const bytes = packIdentity(texts, { address: 0x3000n, length: 5 }, pointerBytes);
    expect(bytes).toHaveLength(sizeOf(SSPI_STRUCT.ExtendedIdentity, pointerBytes));
    expect(unpack(SSPI_STRUCT.ExtendedIdentity, bytes, pointerBytes)).toMatchObject({
      version: 0x200,
      length: pointerBytes === 8 ? 72 : 44,
      user: 0x1000n,
      flags: 2,
      packageList: 0x3000n,
      packageListLength: 5,
    });
  });
});

describe('packChannelBindings()', () => {
  it('puts the data behind a header of 32 bytes that says where it is', () => {
    const bytes = packChannelBindings(Buffer.from('tls-server-end-point:x'));
    expect(bytes.toString('hex', 0, 32)).toBe(`${'00'.repeat(24)}1600000020000000`);
    expect(bytes.toString('latin1', 32)).toBe('tls-server-end-point:x');
  });
});
