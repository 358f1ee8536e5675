// A parser with a fault that only one word in four billion shows: what the fuzzer is tried on.

/** @throws RangeError behind the word */
export function openChest(bytes: Uint8Array): number {
  if (bytes[0] !== 0x6b) {
    return 0;
  }
  if (bytes[1] !== 0x65) {
    return 1;
  }
  if (bytes[2] !== 0x79) {
    return 2;
  }
  if (bytes[3] !== 0x21) {
    return 3;
  }
  throw new RangeError('the planted fault');
}
