// One run of the soak: windows of operations, a reading after each, and the checks at the end. Owns the order of things;
// prints nothing.
import { getEventListeners } from 'node:events';
import { openSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Check } from './checks.ts';
import { countChecks, memoryChecks } from './checks.ts';
import { Clients } from './clients.ts';
import { FastClock } from './clock.ts';
import type { Reading } from './gauges.ts';
import { activeResources, comesTrue, countDescriptors, readGauges } from './gauges.ts';
import type { Kind, World } from './operations.ts';
import { drawKind, makeAcquainted, perform } from './operations.ts';
import { randomOf } from './random.ts';
import { Stage } from './stage.ts';
import { Tally } from './tally.ts';

export interface SoakInput {
  readonly handshakes: number;
  readonly seed: number;
  /** A folder that lives as long as the run. */
  readonly scratch: string;
  /** Leaks on purpose, in the soak itself: a run that does not notice is worth nothing. */
  readonly plantsLeaks: boolean;
  readonly onWindow: (window: Window) => void;
}

/** What stood at the end of a window. */
export interface Window extends Reading {
  readonly handshakes: number;
  readonly listeners: number;
}

export interface SoakResult {
  readonly windows: readonly Window[];
  readonly outcomes: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
  readonly checks: readonly Check[];
  readonly operations: number;
  readonly durationMs: number;
}

const WINDOWS = 25;
const AT_ONCE = 12;
/** No operation takes a second on an idle machine. */
const DEADLINE_MS = 60_000;
const MAX_FAILURES = 20;

export async function runSoak(input: SoakInput): Promise<SoakResult> {
  const { handshakes, seed, scratch } = input;
  const started = performance.now();
  const clock = new FastClock(handshakes);
  await using stage = await Stage.open(seed);
  const clients = await Clients.open(stage.places, scratch, clock.now);
  using tally = new Tally(stage.places.proxies, () => clock.tick());
  // Node opens its handle when the first socket ends.
  process.stderr.write('');
  // What was closed while the stage was built is told a turn later.
  await pause(50);
  const before = { descriptors: countDescriptors(), resources: activeResources() };
  const run = new Run({ clients, places: stage.places, tally }, input);
  await run.begin();
  const windows: Window[] = [];
  for (let number = 1; number <= WINDOWS && !run.isHopeless; number += 1) {
    await run.until(Math.ceil((handshakes * number) / WINDOWS));
    const window = {
      ...(await readGauges()),
      handshakes: tally.handshakes,
      listeners: getEventListeners(clients.signal, 'abort').length,
    };
    windows.push(window);
    input.onWindow(window);
    // Its log is emptied on the way.
    await stage.counts();
  }
  await clients[Symbol.asyncDispose]();
  const isQuiet = await comesTrue(
    () => countDescriptors() === before.descriptors && activeResources() === before.resources,
  );
  await pause(isQuiet ? 50 : 0);
  const after = { descriptors: countDescriptors(), resources: activeResources() };
  const checks = [
    ...(run.isHopeless ? [] : memoryChecks(windows)),
    ...endChecks(before, after),
    ...countChecks(tally, await stage.counts()),
  ];
  return { windows, checks, ...run.result, durationMs: performance.now() - started };
}

class Run {
  readonly #world: World;
  readonly #input: SoakInput;
  readonly #outcomes = new Map<string, number>();
  readonly #failures: string[] = [];
  readonly #kept: unknown[] = [];
  #number = 0;

  constructor(world: World, input: SoakInput) {
    this.#world = world;
    this.#input = input;
  }

  get isHopeless(): boolean {
    return this.#failures.length >= MAX_FAILURES;
  }

  get result(): Pick<SoakResult, 'outcomes' | 'failures' | 'operations'> {
    return { outcomes: this.#outcomes, failures: this.#failures, operations: this.#number };
  }

  begin(): Promise<void> {
    return makeAcquainted(this.#world, randomOf(this.#input.seed));
  }

  /** Operations, several at once, until so many handshakes were made. */
  async until(handshakes: number): Promise<void> {
    const worker = async (): Promise<void> => {
      while (this.#world.tally.handshakes < handshakes && !this.isHopeless) {
        await this.#one();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async #one(): Promise<void> {
    this.#number += 1;
    const number = this.#number;
    const random = randomOf(this.#input.seed, number);
    const kind = drawKind(random);
    try {
      const outcome = await inTime(perform(kind, this.#world, random));
      this.#count(kind, outcome);
    } catch (error) {
      this.#count(kind, 'FAILED');
      if (!this.isHopeless) {
        this.#failures.push(`operation ${number}, ${kind}: ${wordsOf(error)}`);
      }
    }
    if (this.#input.plantsLeaks) {
      this.#leak();
    }
  }

  #count(kind: Kind, outcome: string): void {
    const key = `${kind}: ${outcome}`;
    this.#outcomes.set(key, (this.#outcomes.get(key) ?? 0) + 1);
  }

  #leak(): void {
    const { clients, places } = this.#world;
    this.#kept.push(new Array(2_000).fill(this.#number));
    clients.signal.addEventListener('abort', () => this.#kept.length);
    if (this.#number % 50 === 0) {
      const { port, hostname } = new URL(places.http);
      this.#kept.push(openSync('/dev/null', 'r'));
      this.#kept.push(connect(Number(port), hostname).on('error', () => undefined));
    }
  }
}

function endChecks(
  before: { descriptors: number | null; resources: string },
  after: { descriptors: number | null; resources: string },
): Check[] {
  return [
    {
      what: 'descriptors at the end, as at the start',
      measured: String(after.descriptors),
      expected: String(before.descriptors),
      isMet: after.descriptors === before.descriptors,
    },
    {
      what: 'active handles at the end, as at the start',
      measured: after.resources,
      expected: before.resources,
      isMet: after.resources === before.resources,
    },
  ];
}

function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no end after ${DEADLINE_MS / 1000} s`)),
      DEADLINE_MS,
    );
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function wordsOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return [code, message ?? String(error)].filter((word) => word !== undefined).join(' ');
}
