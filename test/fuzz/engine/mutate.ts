// Makes new inputs from old ones. Owns the ways to change one; which input to change is the fuzzer's.
import type { Random } from './random.ts';

export interface Material {
  /** The target's words. */
  readonly dictionary: readonly Buffer[];
  /** Another input, to be mixed in. */
  readonly other: Buffer;
  readonly maxBytes: number;
}

type Mutation = (input: Buffer, random: Random, material: Material) => Buffer;

const EDGE_BYTES = [...Buffer.from('\0\t\n\r "\',;=:\\/@.%{}[]()*-+\x7f\x80\xfe\xff', 'latin1')];
/** Written in 1, 2 or 4 bytes. */
const EDGE_NUMBERS = [
  0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0xffffffff,
];
/** Written as text. */
const EDGE_NUMERALS = [
  '',
  '0',
  '-1',
  '00',
  '127',
  '255',
  '256',
  '65535',
  '65536',
  '2147483648',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '99999999999999999999',
  '1e9',
  'ffffffff',
];
const MAX_STACKED = 4;
/** Inputs of this size and more get the largest size by repetition only. */
const USUAL_BYTES = 4096;

/** An input of any size: a part of it repeats. */
export type Pumped = (bytes: number) => Buffer;

/**
 * An input in which a part repeats as often as it is asked for: what then takes more than linear time shows. The part is
 * from the input, or a word; behind it stands what stood there, something else, or nothing, for an end that never comes
 * is what many readers look for.
 */
export function pump(input: Buffer, random: Random, { dictionary }: Material): Pumped {
  const [from, to] = slice(input, random, 24);
  const own = input.subarray(from, to);
  const part = dictionary.length > 0 && random.isOneIn(2) ? random.pick(dictionary) : own;
  const before = input.subarray(0, random.isOneIn(2) ? to : from);
  const after = random.pick([input.subarray(to), NOTHING, Buffer.from([random.pick(EDGE_BYTES)])]);
  return (bytes) => {
    const times = Math.floor((bytes - before.length - after.length) / Math.max(1, part.length));
    const repeated = Buffer.alloc(Math.max(0, times) * part.length, part);
    return Buffer.concat([before, repeated, after]).subarray(0, bytes);
  };
}

/** One to four changes in a row. */
export function mutate(input: Buffer, random: Random, material: Material): Buffer {
  let changed = input;
  for (let left = random.between(1, MAX_STACKED); left > 0; left -= 1) {
    changed = random.pick(MUTATIONS)(changed, random, material);
  }
  return changed.subarray(0, Math.min(material.maxBytes, Math.max(USUAL_BYTES, input.length)));
}

/** An input with every value in one of its bytes, or in one more behind them: what is compared with a fixed one is met soon. */
export function sweep(input: Buffer, random: Random): Buffer[] {
  const at = random.between(0, input.length);
  return Array.from({ length: 256 }, (_, value) =>
    replace(input, [at, at + 1], Buffer.from([value])),
  );
}

const flipBit: Mutation = (input, random) =>
  changeByte(input, random, (byte) => byte ^ (1 << random.below(8)));

const setByte: Mutation = (input, random) =>
  changeByte(input, random, () =>
    random.isOneIn(2) ? random.pick(EDGE_BYTES) : random.below(256),
  );

const nudgeByte: Mutation = (input, random) =>
  changeByte(input, random, (byte) => byte + random.between(-4, 4));

const removeSlice: Mutation = (input, random) => replace(input, slice(input, random, 32), NOTHING);

const doubleSlice: Mutation = (input, random) => {
  const [from, to] = slice(input, random, 32);
  return replace(input, [to, to], input.subarray(from, to));
};

const swapSlices: Mutation = (input, random) => {
  const [from, to] = slice(input, random, 16);
  const middle = random.between(from, to);
  const turned = [input.subarray(middle, to), input.subarray(from, middle)];
  return replace(input, [from, to], Buffer.concat(turned));
};

const insertBytes: Mutation = (input, random) => {
  const at = random.between(0, input.length);
  const inserted = random.isOneIn(2)
    ? Buffer.from([random.pick(EDGE_BYTES)])
    : random.bytes(random.between(1, 8));
  return replace(input, [at, at], inserted);
};

const insertWord: Mutation = (input, random, { dictionary }) => {
  const at = random.between(0, input.length);
  return dictionary.length === 0 ? input : replace(input, [at, at], random.pick(dictionary));
};

const overwriteWithWord: Mutation = (input, random, { dictionary }) => {
  if (dictionary.length === 0) {
    return input;
  }
  const word = random.pick(dictionary);
  const from = random.between(0, input.length);
  return replace(input, [from, Math.min(input.length, from + word.length)], word);
};

const splice: Mutation = (input, random, { other }) =>
  Buffer.concat([
    input.subarray(0, random.between(0, input.length)),
    other.subarray(random.between(0, other.length)),
  ]);

/** A number in 1, 2 or 4 bytes, either end first: lengths and offsets are such. */
const setNumber: Mutation = (input, random) => {
  const width = random.pick([1, 2, 4]);
  if (input.length < width) {
    return input;
  }
  const changed = Buffer.from(input);
  const at = random.between(0, changed.length - width);
  const isLittle = random.isOneIn(2);
  const before = isLittle ? changed.readUIntLE(at, width) : changed.readUIntBE(at, width);
  const near = [before + random.between(-3, 3), input.length + random.between(-3, 3)];
  const wanted = random.isOneIn(2) ? random.pick(EDGE_NUMBERS) : random.pick(near);
  const value = (wanted + 2 ** 32) % 2 ** (8 * width);
  if (isLittle) {
    changed.writeUIntLE(value, at, width);
  } else {
    changed.writeUIntBE(value, at, width);
  }
  return changed;
};

/** A number in digits. */
const setNumeral: Mutation = (input, random) => {
  const numerals = [...input.toString('latin1').matchAll(/[0-9a-f]+/gi)];
  if (numerals.length === 0) {
    return input;
  }
  const { index, 0: numeral } = random.pick(numerals);
  return replace(input, [index, index + numeral.length], Buffer.from(random.pick(EDGE_NUMERALS)));
};

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  setByte,
  setByte,
  nudgeByte,
  removeSlice,
  doubleSlice,
  swapSlices,
  insertBytes,
  insertWord,
  insertWord,
  overwriteWithWord,
  splice,
  setNumber,
  setNumeral,
];

const NOTHING = Buffer.alloc(0);

function changeByte(input: Buffer, random: Random, change: (byte: number) => number): Buffer {
  const changed = Buffer.from(input);
  const at = random.below(changed.length);
  const byte = changed[at];
  if (byte !== undefined) {
    changed[at] = change(byte) & 0xff;
  }
  return changed;
}

function replace(input: Buffer, [from, to]: readonly [number, number], by: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, from), by, input.subarray(to)]);
}

/** Short slices are more likely than long ones. */
function slice(input: Buffer, random: Random, longest: number): [from: number, to: number] {
  const from = random.below(input.length);
  const length = random.between(1, random.between(1, longest));
  return [from, Math.min(input.length, from + length)];
}
