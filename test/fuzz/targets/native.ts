// The pure parsers of `src/native`.
import assert from 'node:assert/strict';
import { firstPrincipal } from '../../../src/native/client-keytab.ts';
import {
  formatBuffer,
  formatOid,
  formatOidSet,
  gssLayout,
  parseBuffer,
  parseOid,
  parseOidSet,
} from '../../../src/native/gssapi-structures.ts';
import { pack, SSPI_STRUCT, sizeOf, unpack } from '../../../src/native/sspi-structures.ts';
import { hex } from '../engine/properties.ts';
import type { FuzzTarget } from '../engine/target.ts';

export const NATIVE_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'native-keytab',
    sources: ['src/native/client-keytab'],
    maxBytes: 64 * 1024,
    seeds: [
      hex('0502 0000001a 0001 0004 52454c4d 0005 616c696365 00000001 00000000 01'),
      hex('0502 fffffffc 00000000 00000010 0002 0001 52 0001 61 0001 62 0000 0000'),
      hex('0502 00000000'),
    ],
    dictionary: [hex('0502'), hex('ffffffff'), hex('80000000'), hex('00000000'), hex('ffff')],
    run(input) {
      const principal = principalOrNull(input);
      assert.ok(principal === null || principal.length <= 2 * input.length + 2);
    },
  },
  {
    name: 'native-structures',
    sources: ['src/native/gssapi-structures', 'src/native/sspi-structures'],
    maxBytes: 128,
    seeds: [Buffer.alloc(128), Buffer.alloc(128, 0xff), hex('04000000 00000000 1000000000000000')],
    dictionary: [hex('ffffffffffffffff'), hex('0000000000000080')],
    run(input) {
      const bytes = Buffer.concat([input, Buffer.alloc(128)]).subarray(0, 128);
      for (const layout of [gssLayout('linux', 'x64'), gssLayout('darwin', 'x64')]) {
        const oid = parseOid(layout, bytes);
        assert.deepEqual(parseOid(layout, formatOid(layout, oid)), oid);
        const buffer = parseBuffer(layout, bytes);
        // No memory has more bytes than numbers can tell.
        if (Number.isSafeInteger(buffer.length)) {
          assert.deepEqual(parseBuffer(layout, formatBuffer(layout, buffer)), buffer);
          const set = parseOidSet(layout, bytes);
          assert.deepEqual(parseOidSet(layout, formatOidSet(layout, set.address, set.length)), set);
        }
      }
      for (const fields of Object.values(SSPI_STRUCT)) {
        for (const pointerBytes of [4, 8]) {
          assert.ok(sizeOf(fields, pointerBytes) <= bytes.length);
          const values = unpack(fields, bytes, pointerBytes);
          const again = unpack(fields, pack(fields, values, pointerBytes), pointerBytes);
          assert.deepEqual(again, values);
        }
      }
    },
  },
];

/** A RangeError is how it says that the file ends early. */
function principalOrNull(input: Buffer): string | null {
  try {
    return firstPrincipal(input);
  } catch (error) {
    if (error instanceof RangeError) {
      return null;
    }
    throw error;
  }
}
