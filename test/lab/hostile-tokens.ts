// What a server that means no good may send to a security library: broken challenges, old tokens, noise. The same in each
// run.
import { readFileSync } from 'node:fs';

interface Vectors {
  /** Some are about the flow and have no challenge of their own. */
  readonly ntlm_negative: readonly { readonly challenge?: string }[];
}
type Transcripts = readonly {
  readonly exchanges: readonly { readonly sent?: string; readonly received?: string }[];
}[];

/** In hex; none is an answer to a sign-on of now. */
export function hostileTokens(): string[] {
  return [...negatives(), ...replays(), ...randomTokens(), ...mutations()];
}

function negatives(): string[] {
  return readFixture<Vectors>('vectors.json').ntlm_negative.flatMap(
    ({ challenge }) => challenge ?? [],
  );
}

/** All that was ever sent either way, in other people's sign-ons. */
function replays(): string[] {
  return readFixture<Transcripts>('transcripts.json').flatMap(({ exchanges }) =>
    exchanges
      .flatMap(({ sent, received }) => [sent, received])
      .filter((token) => token !== undefined)
      .map((token) => Buffer.from(token, 'base64').toString('hex')),
  );
}

function randomTokens(): string[] {
  const random = seededBytes(20_261_124);
  const sizes = [1, 2, 7, 16, 31, 32, 48, 64, 100, 256, 1_000, 4_096, 65_535, 65_536, 70_000];
  const plain = sizes.flatMap((size) => [random(size), random(size)]);
  // The beginnings libraries look for, and nonsense behind them.
  const framed = ['a1', '60', 'a181', '6082ffff', '4e544c4d5353500002000000', 'a1073005a0030a0100'];
  return [
    ...plain.map((bytes) => bytes.toString('hex')),
    ...framed.flatMap((head) => [4, 40, 400].map((size) => head + random(size).toString('hex'))),
  ];
}

/** Real answers with one byte changed. */
function mutations(): string[] {
  const random = seededBytes(407);
  return replays().flatMap((token) => {
    const bytes = Buffer.from(token, 'hex');
    return [0, 1].map(() => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(random(1).readUInt8(0), random(4).readUInt32LE(0) % copy.length);
      return copy.toString('hex');
    });
  });
}

/** mulberry32: the same bytes in each run. */
function seededBytes(seed: number): (size: number) => Buffer {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) & 0xff;
  };
  return (size) => Buffer.from(Array.from({ length: size }, next));
}

function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')) as T;
}
