import { describe, expect, it } from 'vitest';
import { childrenOf, hasTag, parseDer, TAG_CLASS } from './der.ts';

const unhex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const malformed = expect.objectContaining({
  code: 'CHALLENGE_INVALID',
  message: 'The thing is not well-formed DER',
});

/** `levels` SEQUENCEs, one in another. */
function nest(levels: number): Uint8Array {
  let value: number[] = [];
  for (let level = 0; level < levels; level += 1) {
    value = [0x30, value.length, ...value];
  }
  return Uint8Array.from(value);
}

describe('parseDer()', () => {
  it('goes 12 levels below the first and no deeper', () => {
    expect(parseDer(nest(13), 'thing').idBlock.tagNumber).toBe(16);
    expect(() => parseDer(nest(14), 'thing')).toThrow(malformed);
  });

  it('takes 64 KiB and not a byte more', () => {
    const largest = Uint8Array.from([0x04, 0x82, 0xff, 0xfc, ...new Uint8Array(0xfffc)]);
    expect(largest).toHaveLength(64 * 1024);
    expect(parseDer(largest, 'thing').idBlock.tagNumber).toBe(4);
    expect(() => parseDer(new Uint8Array(64 * 1024 + 1), 'thing')).toThrow(
      expect.objectContaining({ code: 'CHALLENGE_TOO_LARGE' }),
    );
  });

  it('takes 1,999 values in one and no more', () => {
    const wide = (count: number) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(count * 2);
      return Uint8Array.from([0x30, 0x82, ...length, ...Array(count).fill([5, 0]).flat()]);
    };
    expect(childrenOf(parseDer(wide(1_999), 'thing'))).toHaveLength(1_999);
    expect(() => parseDer(wide(2_000), 'thing')).toThrow(malformed);
  });

  it('leaves the content of strings alone', () => {
    expect(childrenOf(parseDer(unhex('04023000'), 'thing'))).toEqual([]);
  });

  it.each([
    ['an indefinite length', '30800000'],
    ['an indefinite length inside', '300430800000'],
    ['a string in pieces', '2403040100'],
    ['a primitive SEQUENCE', '1000'],
    ['a byte behind the value', '050000'],
    ['a time without digits, on which asn1js throws', '1800'],
    ['nothing', ''],
  ])('refuses %s', (_claim, bytes) => {
    expect(() => parseDer(unhex(bytes), 'thing')).toThrow(malformed);
  });
});

describe('hasTag()', () => {
  it('looks at class and number', () => {
    const value = parseDer(unhex('a1020500'), 'thing');
    expect(hasTag(value, TAG_CLASS.CONTEXT, 1)).toBe(true);
    expect(hasTag(value, TAG_CLASS.CONTEXT, 0)).toBe(false);
    expect(hasTag(value, TAG_CLASS.APPLICATION, 1)).toBe(false);
    expect(hasTag(undefined, TAG_CLASS.CONTEXT, 1)).toBe(false);
  });
});
