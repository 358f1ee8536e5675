// Which blocks of the target's sources an input reaches, and how often, by V8's own counters. Owns the inspector session;
// knows nothing of inputs.
import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector';

/** Counts that differ in class count as different: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more. */
const CLASSES = [1, 2, 3, 4, 8, 16, 32, 128];
/** A bit per class from its number of hits. */
const CLASS_OF = Uint8Array.from({ length: 256 }, (_, hits) => {
  const found = CLASSES.filter((least) => hits >= least).length;
  return found === 0 ? 0 : 1 << (found - 1);
});

/** V8 counts in the functions it compiles from now on: whoever imports this does so before it runs what is to be seen. */
const SESSION = new Session();
SESSION.connect();
ask('Profiler.enable');
ask('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/**
 * What has been reached so far. One look at V8's counters costs about a millisecond, whatever was run, so that callers
 * run many inputs and look once.
 */
export class Coverage {
  readonly #sources: readonly string[];
  /** By function: for each character of its text the classes of hits seen. */
  readonly #seen = new Map<string, Uint8Array>();

  /** @param sources parts of script addresses, as in `FuzzTarget.sources` */
  constructor(sources: readonly string[]) {
    this.#sources = sources.map((source) => `/${source}.`);
    takeCounts();
  }

  /** Whether running this reaches a block that nothing had reached. Remembers nothing. */
  reachesNewBlock(run: () => void): boolean {
    return this.#functionsReached(run).some((found) => {
      const seen = this.#seenOf(found);
      return hitsOf(found).some((hits, at) => hits > 0 && seen[at] === 0);
    });
  }

  /** How much is new about what running this reaches: blocks, and blocks hit more or less often. Remembers nothing. */
  gainOf(run: () => void): number {
    return this.#functionsReached(run).reduce((gain, found) => {
      const seen = this.#seenOf(found);
      const isNew = (hits: number, at: number) => ((CLASS_OF[hits] ?? 0) & ~(seen[at] ?? 0)) !== 0;
      return gain + hitsOf(found).filter(isNew).length;
    }, 0);
  }

  /** Remembers what running this reaches, and tells whether any of it was new. */
  learn(run: () => void): boolean {
    let isNew = false;
    for (const found of this.#functionsReached(run)) {
      const seen = this.#seenOf(found);
      hitsOf(found).forEach((hits, at) => {
        const before = seen[at] ?? 0;
        const after = before | (CLASS_OF[hits] ?? 0);
        isNew ||= after !== before;
        seen[at] = after;
      });
    }
    return isNew;
  }

  #functionsReached(run: () => void): FunctionReached[] {
    // Each take sets the counters to zero, and nobody else runs the target.
    run();
    return takeCounts()
      .filter(({ url }) => this.#sources.some((source) => url.includes(source)))
      .flatMap(({ url, functions }) =>
        functions.map(({ ranges, functionName }) => ({
          key: `${url} ${functionName} ${ranges[0]?.startOffset}`,
          ranges,
        })),
      );
  }

  #seenOf({ key, ranges }: FunctionReached): Uint8Array {
    const known = this.#seen.get(key);
    if (known !== undefined) {
      return known;
    }
    const [{ startOffset, endOffset } = NO_RANGE] = ranges;
    const fresh = new Uint8Array(endOffset - startOffset);
    this.#seen.set(key, fresh);
    return fresh;
  }
}

function takeCounts(): Profiler.ScriptCoverage[] {
  return (ask('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType).result;
}

/** The profiler answers before `post` returns. */
function ask(method: string, parameters: object = {}): unknown {
  let failure: Error | null = null;
  let answer: unknown;
  SESSION.post(method, parameters, (error, result) => {
    failure = error;
    answer = result;
  });
  if (failure !== null) {
    throw failure;
  }
  return answer;
}

interface FunctionReached {
  readonly key: string;
  readonly ranges: readonly Profiler.CoverageRange[];
}

const NO_RANGE: Profiler.CoverageRange = { startOffset: 0, endOffset: 0, count: 0 };

/** Hits of each character of the function, 255 at most. Ranges come from the outside in. */
function hitsOf({ ranges }: FunctionReached): Uint8Array {
  const [{ startOffset, endOffset } = NO_RANGE] = ranges;
  const hits = new Uint8Array(endOffset - startOffset);
  for (const range of ranges) {
    const [from, to] = [range.startOffset - startOffset, range.endOffset - startOffset];
    hits.fill(Math.min(range.count, 255), from, to);
  }
  return hits;
}
