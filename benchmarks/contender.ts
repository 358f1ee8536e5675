// The words of a run: contenders are measured round after round, each once, so that whatever the machine does meanwhile
// happens to all of them. Owns the interleaving; knows no proxy.

/** One measurement. */
export interface Sample {
  /** In the unit of its section. */
  readonly value: number;
  /** Requests the proxy saw, where somebody counts them. */
  readonly legs: number | null;
  /** The same time by the relay's watch, where there is a relay. */
  readonly relayMs: number | null;
  /** CPU time of the client for each GB, in seconds, where there are as many bytes. */
  readonly cpuPerGb: number | null;
}

export function sampleOf(value: number, more: Partial<Sample> = {}): Sample {
  return { value, legs: null, relayMs: null, cpuPerGb: null, ...more };
}

export interface Measurable {
  readonly title: string;
  measure(): Promise<Sample>;
}

export interface Contender extends Measurable {
  /** Unique in a run; other rows name it as what they are compared with. */
  readonly id: string;
}

/** What a contender did, or why it could not take part. */
export type Outcome = { readonly samples: readonly Sample[] } | { readonly unavailable: string };

/**
 * Measures each contender once a round, in an order that is drawn anew: who comes behind curl finds cold caches. A
 * round before the first is not counted: who fails there does not take part; who fails later ends the run.
 *
 * @returns outcomes by the id of the contender
 */
export async function race(
  contenders: readonly Contender[],
  rounds: number,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const fit: { readonly contender: Contender; readonly samples: Sample[] }[] = [];
  for (const contender of contenders) {
    try {
      await contender.measure();
      const samples: Sample[] = [];
      fit.push({ contender, samples });
      outcomes.set(contender.id, { samples });
    } catch (error) {
      outcomes.set(contender.id, { unavailable: reasonOf(error) });
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { contender, samples } of shuffled(fit)) {
      samples.push(await measureNamed(contender));
    }
  }
  return outcomes;
}

async function measureNamed({ title, measure }: Contender): Promise<Sample> {
  try {
    return await measure();
  } catch (cause) {
    throw new Error(`${title}: ${reasonOf(cause)}`, { cause });
  }
}

function shuffled<T>(things: readonly T[]): T[] {
  return things
    .map((thing) => ({ thing, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ thing }) => thing);
}

/** A failure in a few words, its code first. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const words = [code, message].filter((word) => typeof word === 'string');
  return words.join(': ').replaceAll(/\s+/g, ' ').slice(0, 160);
}
