// The loop: change a known input, run it, keep it when it reaches something new. Owns which input is changed and when
// V8's counters are looked at.
import { Coverage } from './coverage.ts';
import type { Fault } from './judge.ts';
import { judge, judgePumped } from './judge.ts';
import { mutate, pump, sweep } from './mutate.ts';
import { Random } from './random.ts';
import { shrink, shrinkFault } from './shrink.ts';
import type { FuzzTarget } from './target.ts';

export interface FuzzOptions {
  /** The same seed and corpus give the same inputs. */
  readonly seed: number;
  /** Inputs to begin with. */
  readonly known: readonly Buffer[];
  /** Ends at whichever comes first. */
  readonly maxMs: number;
  readonly maxExecutions?: number;
  readonly maxFindings?: number;
  /** `false` changes the known inputs only, whatever is reached. */
  readonly guided?: boolean;
}

export interface Finding extends Fault {
  readonly input: Buffer;
}

export interface FuzzReport {
  readonly executions: number;
  /** One for each fault that can be told from the others. */
  readonly findings: readonly Finding[];
  /** Inputs that reached something new, the known ones first. */
  readonly pool: readonly Buffer[];
}

/** Inputs run between two looks at the counters: a look costs as much as twenty inputs. */
const BATCH = 32;
/** Of so many batches one is a single input of the largest size, and two are sweeps. */
const CYCLE = 12;
const SWEEPS = [4, 8];
/** A batch with something new in it is halved down to this size, and then gone through. */
const FEW = 4;
const MAX_FINDINGS = 5;
/** Longer inputs are kept, but new ones are made from short ones: they cost less. */
const SHORT_BYTES = 2048;

/** Runs a target on inputs made from known ones. */
export function fuzz(target: FuzzTarget, options: FuzzOptions): FuzzReport {
  const coverage = new Coverage(target.sources);
  return new Fuzzer(target, options, coverage).work();
}

/** The fewest and shortest of these inputs that together reach what all of them reach. */
export function minimise(target: FuzzTarget, inputs: readonly Buffer[]): Buffer[] {
  const coverage = new Coverage(target.sources);
  return [...inputs]
    .sort((one, other) => one.length - other.length)
    .filter((input) => coverage.learn(() => void judge(target, input)));
}

class Fuzzer {
  readonly #target: FuzzTarget;
  readonly #options: FuzzOptions;
  readonly #coverage: Coverage;
  readonly #random: Random;
  readonly #dictionary: readonly Buffer[];
  readonly #pool: Buffer[] = [];
  /** Never empty. */
  readonly #short: Buffer[] = [Buffer.alloc(0)];
  readonly #findings = new Map<string, Finding>();
  readonly #deadline: number;
  #executions = 0;

  constructor(target: FuzzTarget, options: FuzzOptions, coverage: Coverage) {
    this.#target = target;
    this.#options = options;
    this.#coverage = coverage;
    this.#random = new Random(options.seed);
    this.#dictionary = target.dictionary.map((word) => Buffer.from(word));
    this.#deadline = performance.now() + options.maxMs;
  }

  work(): FuzzReport {
    const { known, guided = true } = this.#options;
    this.#pool.push(...known);
    this.#short.push(...known.filter(isShort));
    this.#coverage.learn(() => this.#runAll(known));
    for (let batch = 0; !this.#isOver; batch = (batch + 1) % CYCLE) {
      if (batch === 0) {
        this.#runPumped(guided);
        continue;
      }
      const inputs = SWEEPS.includes(batch)
        ? sweep(this.#pickShort(), this.#random)
        : Array.from({ length: BATCH }, () => this.#makeInput());
      const isNew = this.#coverage.reachesNewBlock(() => this.#runAll(inputs));
      if (guided) {
        // Where no new block was reached one input is looked at alone: it may hit a block more often than before.
        this.#keepNew(isNew ? inputs : [this.#random.pick(inputs)]);
      }
    }
    return {
      executions: this.#executions,
      findings: [...this.#findings.values()],
      pool: this.#pool,
    };
  }

  get #isOver(): boolean {
    const { maxFindings = MAX_FINDINGS, maxExecutions = Number.POSITIVE_INFINITY } = this.#options;
    return (
      this.#findings.size >= maxFindings ||
      this.#executions >= maxExecutions ||
      performance.now() > this.#deadline
    );
  }

  #keepNew(inputs: readonly Buffer[]): void {
    if (inputs.length <= FEW) {
      for (const input of inputs) {
        this.#keepIfNew(input);
      }
      return;
    }
    const middle = Math.ceil(inputs.length / 2);
    for (const half of [inputs.slice(0, middle), inputs.slice(middle)]) {
      if (this.#coverage.reachesNewBlock(() => this.#runAll(half))) {
        this.#keepNew(half);
      }
    }
  }

  #makeInput(): Buffer {
    return mutate(this.#pickShort(), this.#random, this.#material);
  }

  /** Of the largest size a parser takes, or a little less: what is refused for its size shows nothing. */
  #runPumped(guided: boolean): void {
    const bytes = Math.floor(this.#target.maxBytes * this.#random.pick([0.9, 1]));
    const pumped = pump(this.#makeInput(), this.#random, this.#material);
    this.#executions += 1;
    let fault: Fault | null = null;
    const isNew = this.#coverage.reachesNewBlock(() => {
      fault = judgePumped(this.#target, pumped, bytes);
    });
    this.#note(pumped(bytes), fault);
    if (isNew && guided) {
      this.#keepIfNew(pumped(bytes));
    }
  }

  get #material() {
    return {
      dictionary: this.#dictionary,
      other: this.#pickShort(),
      maxBytes: this.#target.maxBytes,
    };
  }

  /** The newest are the least explored. */
  #pickShort(): Buffer {
    const newest = this.#short.slice(-8);
    return this.#random.pick(this.#random.isOneIn(3) ? newest : this.#short);
  }

  #keepIfNew(input: Buffer): void {
    const gainOf = (one: Buffer): number =>
      this.#coverage.gainOf(() => void judge(this.#target, one));
    const gain = gainOf(input);
    if (gain === 0) {
      return;
    }
    const short = shrink(input, (one) => gainOf(one) >= gain);
    this.#coverage.learn(() => void judge(this.#target, short));
    this.#pool.push(short);
    if (isShort(short)) {
      this.#short.push(short);
    }
  }

  #runAll(inputs: readonly Buffer[]): void {
    for (const input of inputs) {
      this.#executions += 1;
      this.#note(input, judge(this.#target, input));
    }
  }

  #note(input: Buffer, fault: Fault | null): void {
    if (fault !== null && !this.#findings.has(fault.signature)) {
      const shortest = shrinkFault(this.#target, input, fault);
      this.#findings.set(fault.signature, { ...fault, input: shortest });
    }
  }
}

function isShort({ length }: Buffer): boolean {
  return length <= SHORT_BYTES;
}
