// The fuzzer itself: it finds what is planted, tells what is wrong, and can be repeated.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzz, minimise } from './engine/fuzz.ts';
import { formatInput, parseInput } from './engine/input-text.ts';
import { judge } from './engine/judge.ts';
import { assertBounded, assertSameFromAnyPackets } from './engine/properties.ts';
import type { FuzzTarget } from './engine/target.ts';
import { openChest } from './planted-fault.ts';

const CHEST = targetOf((input) => void openChest(input));
const KNOWN = [Buffer.from('....')];
const PATIENT = { seed: 7, known: KNOWN, maxMs: 25_000 };
/** Ends by the number of its executions: a busy machine makes them slow, and no fewer. */
const UNHURRIED = { ...PATIENT, maxMs: Number.POSITIVE_INFINITY };

function targetOf(run: (input: Buffer) => void): FuzzTarget {
  return {
    name: 'planted',
    sources: ['test/fuzz/planted-fault'],
    maxBytes: 10_000,
    seeds: [],
    dictionary: [],
    run,
  };
}

describe('fuzz()', () => {
  it('finds a fault behind four nested conditions, which blind changes do not', () => {
    const guided = fuzz(CHEST, { ...UNHURRIED, maxExecutions: 200_000, maxFindings: 1 });
    expect(guided.findings).toMatchObject([{ kind: 'throws', input: Buffer.from('key!') }]);
    const maxExecutions = 4 * guided.executions;
    const blind = fuzz(CHEST, { ...UNHURRIED, maxExecutions, guided: false });
    expect(blind.executions).toBeGreaterThan(guided.executions);
    expect(blind.findings).toEqual([]);
  }, 300_000);

  it('makes the same inputs from the same seed', () => {
    const trace = (seed: number): string[] => {
      const seen: string[] = [];
      const target = targetOf((input) => void seen.push(input.toString('latin1')));
      fuzz(target, { ...PATIENT, seed, maxExecutions: 500 });
      // An input that the machine was slow with is run again.
      return [...new Set(seen)];
    };
    expect(trace(1)).toEqual(trace(1));
    expect(trace(1)).not.toEqual(trace(2));
  });

  it('finds time that grows with the square of the input', () => {
    // The regular expression looks for the end from each of the equals signs.
    const target = { ...targetOf((input) => void /=+$/.test(`${input}x`)), maxBytes: 40_000 };
    const { findings } = fuzz(target, {
      ...UNHURRIED,
      known: [Buffer.from('a=b')],
      maxExecutions: 50_000,
      maxFindings: 1,
    });
    expect(findings.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(grows|is slow)$/)]),
    );
  }, 300_000);
});

describe('minimise()', () => {
  it('keeps the shortest input for each block', () => {
    const inputs = ['kxx', 'kx', 'x', 'kex', 'kxxx', 'x'].map((text) => Buffer.from(text));
    expect(minimise(CHEST, inputs).map(String)).toEqual(['x', 'kx', 'kex']);
  });
});

describe('judge()', () => {
  it('says nothing about an input that passes', () => {
    expect(judge(CHEST, Buffer.from('key'))).toBeNull();
  });

  it('tells an input that changes what all objects have', () => {
    const target = targetOf(() => {
      Object.assign(Object.prototype, { polluted: true });
    });
    try {
      expect(judge(target, Buffer.alloc(0))).toMatchObject({ kind: 'pollutes' });
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted');
    }
  });

  it('tells an input that takes too long', () => {
    const target = targetOf(() => {
      const spent = () => process.cpuUsage().user + process.cpuUsage().system;
      const before = spent();
      while (spent() - before < 300_000) {
        // Only the processor's time counts.
      }
    });
    expect(judge(target, Buffer.alloc(0))).toMatchObject({ kind: 'is slow' });
  });
});

describe('the properties', () => {
  it('tell a reader to which the packets make a difference', () => {
    const read = (pieces: Buffer[]) => pieces.some((piece) => piece.includes('ab'));
    expect(() => assertSameFromAnyPackets(Buffer.from('xxabxx'), read)).toThrow('cut into');
    expect(() => assertSameFromAnyPackets(Buffer.from('xxxx'), read)).not.toThrow();
  });

  it('tell a result that is too deep, has too many members or is too large', () => {
    const value = { a: ['xyz', new Map([['k', Buffer.alloc(4)]])] };
    const bounds = { depth: 3, items: 5, size: 8 };
    assertBounded(value, bounds);
    expect(() => assertBounded(value, { ...bounds, depth: 2 })).toThrow('depth');
    expect(() => assertBounded(value, { ...bounds, items: 4 })).toThrow('items');
    expect(() => assertBounded(value, { ...bounds, size: 7 })).toThrow('size');
  });
});

describe('formatInput()', () => {
  it('is undone by parseInput()', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 30 }),
        fc.nat({ max: 90 }),
        fc.string(),
        (unit, times, text) => {
          const repeated = Array.from({ length: times }, () => Buffer.from(unit));
          const input = Buffer.concat([Buffer.from(text), ...repeated, Buffer.from(text)]);
          expect(parseInput(formatInput(input))).toEqual(input);
        },
      ),
    );
  });

  it('is readable, and short for what repeats', () => {
    expect(formatInput(Buffer.from('#a\r\n\\\0  '))).toBe('\\x23a\\r\\n\\\\\\x00 \\x20');
    expect(formatInput(Buffer.from(`x${'(*'.repeat(5000)}`))).toBe('x\\(\\x28\\x2a*5000)');
    expect(() => parseInput('\\q')).toThrow(SyntaxError);
  });
});
