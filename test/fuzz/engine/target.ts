// What one fuzz target is. Owns the contract between the targets and the engine.

/** A parser under test, and what must hold of it whatever it is given. */
export interface FuzzTarget {
  /** The folder of `src/` and the parser: `http1-challenges`. Names its files in `corpus/` and `regressions/`. */
  readonly name: string;
  /** The sources whose coverage guides it, without their ending: `src/http1/challenges`. */
  readonly sources: readonly string[];
  /** Well-formed inputs to begin with; texts are taken as UTF-8. */
  readonly seeds: readonly (string | Uint8Array)[];
  /** Words of the format, put into inputs whole. */
  readonly dictionary: readonly (string | Uint8Array)[];
  /** The largest input the parser is ever given; inputs of this size must meet the deadline, too. */
  readonly maxBytes: number;
  /**
   * Feeds one input.
   *
   * @throws anything when a property does not hold
   */
  run(input: Buffer): void;
}
