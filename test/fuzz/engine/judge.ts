// Feeds one input to a target and says what is wrong. Owns the deadlines; the properties of a parser are its target's.
import { inspect } from 'node:util';
import type { Pumped } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

export interface Fault {
  readonly kind: 'throws' | 'is slow' | 'grows' | 'pollutes';
  /** For people. */
  readonly detail: string;
  /** The same for every input that shows the same fault, as far as can be told. */
  readonly signature: string;
}

/** Of the processor's time, so that a busy machine changes nothing. */
const DEADLINE_MS = 50;
const SLACK = 5;
/** Ten times the input may take this many times as long; a square would be 100. */
const MAX_GROWTH = 60;
/** Below it the clock says nothing about growth. */
const MIN_GROWTH_MS = 40;
const TRIES = 3;
/** Elapsed, before the processor's time is looked at. */
const SUSPICIOUS_MS = 20;

const PROTOTYPES = [Object.prototype, Array.prototype, Map.prototype, String.prototype];
const PROPERTY_COUNT = countProperties();

/** @returns `null` when every property holds */
export function judge(target: FuzzTarget, input: Buffer): Fault | null {
  const began = performance.now();
  try {
    // A copy: what a parser does to its input is no business of the next one's.
    target.run(Buffer.from(input));
  } catch (error) {
    return { kind: 'throws', detail: inspect(error, { depth: 4 }), signature: signatureOf(error) };
  }
  if (countProperties() !== PROPERTY_COUNT) {
    return { kind: 'pollutes', detail: 'a built-in prototype has changed', signature: 'pollutes' };
  }
  return performance.now() - began < SUSPICIOUS_MS ? null : judgeTime(target, input);
}

/** The same for an input that can be made in any size: its time may not grow much faster than the input. */
export function judgePumped(target: FuzzTarget, pumped: Pumped, bytes: number): Fault | null {
  const input = pumped(bytes);
  const began = performance.now();
  const fault = judge(target, input);
  if (fault !== null || performance.now() - began < SUSPICIOUS_MS) {
    return fault;
  }
  const taken = processorTime(target, input);
  const tenth = processorTime(target, pumped(Math.ceil(bytes / 10)));
  return taken < MIN_GROWTH_MS || taken < tenth * MAX_GROWTH
    ? null
    : {
        kind: 'grows',
        detail: `${bytes} bytes take ${taken.toFixed()} ms, a tenth of them ${tenth.toFixed(2)} ms`,
        signature: 'grows',
      };
}

function judgeTime(target: FuzzTarget, input: Buffer): Fault | null {
  const taken = processorTime(target, input);
  return taken <= DEADLINE_MS * SLACK
    ? null
    : {
        kind: 'is slow',
        detail: `${input.length} bytes take ${taken.toFixed()} ms, more than ${DEADLINE_MS * SLACK}`,
        signature: 'is slow',
      };
}

/** The least of some tries, in ms: what the compiler and the collector add falls away. */
function processorTime(target: FuzzTarget, input: Buffer): number {
  const tries = Array.from({ length: TRIES }, () => {
    const before = process.cpuUsage();
    try {
      target.run(Buffer.from(input));
    } catch {
      // A part of an input need not be one; only the time counts.
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...tries);
}

function countProperties(): number {
  return PROTOTYPES.reduce<number>((count, one) => count + Reflect.ownKeys(one).length, 0);
}

/** Name, message without its particulars, and the place that threw. */
function signatureOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return inspect(error).slice(0, 80);
  }
  const [place = ''] =
    /at .*/.exec(error.stack?.slice(error.stack.indexOf('\n    at ')) ?? '') ?? [];
  const message = (error.message.split('\n')[0] ?? '').replaceAll(/\d+|'.*'|".*"/g, '_');
  return `${error.name} ${message} ${place}`;
}
