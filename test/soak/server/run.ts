// One run of the local proxy's soak: windows of operations, a reading after each, and the checks at the end. Owns the order of
// things, and when a failure may be; prints nothing.
import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import type { Check } from '../checks.ts';
import { flatChecks } from '../checks.ts';
import { randomOf } from '../random.ts';
import type { SoakResult, Window } from '../run.ts';
import type { Deed, Kind, World } from './operations.ts';
import { drawKind, drawWay, perform, Trouble } from './operations.ts';
import type { OriginOrder, OriginState, ProxyOrder, ServerOrder, ServerState } from './orders.ts';
import { Process } from './orders.ts';
import { KilledProxy } from './outages.ts';

export interface ServerSoakInput {
  /** How many operations; 100 of them are some 95 requests and 13 tunnels. */
  readonly operations: number;
  readonly seed: number;
  /** Leaks, wrong answers and doubled uploads on purpose: a run that does not notice is worth nothing. */
  readonly plantsFaults: boolean;
  readonly onWindow: (window: Window) => void;
}

export interface ServerSoakResult extends Omit<SoakResult, 'operations'> {
  readonly requests: number;
  readonly tunnels: number;
  readonly kills: number;
  readonly freezes: number;
}

const WINDOWS = 20;
const AT_ONCE = 24;
/** No operation takes a second on an idle machine; the longest patience of the engine that counts here is 30 s. */
const DEADLINE_MS = 60_000;
const MAX_FAILURES = 20;
/** Of those whose corporate proxy is killed, so many may come to nothing at most. */
const MOST_TROUBLED = 0.4;
/** What is idle between two windows differs by some connections. */
const DESCRIPTORS = { floor: 80, perHandshake: 0 };
const HEAP = { floor: 3_000_000, perHandshake: 20 };
const RSS = { floor: 32_000_000, perHandshake: 160 };

export async function runServerSoak(input: ServerSoakInput): Promise<ServerSoakResult> {
  const { operations, seed } = input;
  const started = performance.now();
  const planted = input.plantsFaults ? ['--plant-faults'] : [];
  const origin = new Process<OriginOrder, OriginState>('origin-process.js', [], planted);
  const calm = new Process<ProxyOrder, { port: number }>('proxy-process.js');
  const killed = await KilledProxy.open(randomOf(seed, 0));
  const server = new Process<ServerOrder, ServerState>(
    'server-process.js',
    ['--expose-gc'],
    planted,
  );
  try {
    const places = await origin.ask({ do: 'open' });
    const { port } = await calm.ask({ port: 0 });
    const token = randomBytes(24).toString('base64url');
    const proxies = { calm: `http://127.0.0.1:${port}`, killed: killed.url };
    const first = await server.ask({ do: 'open', proxies, token });
    const agent = new Agent({ keepAlive: true });
    const run = new Run(input, killed, {
      ports: first.ports,
      credentials: Buffer.from(`x:${token}`).toString('base64'),
      pages: `127.0.0.1:${places.page}`,
      echo: `127.0.0.1:${places.echo}`,
      agent,
      count: { requests: 0, tunnels: 0 },
    });
    const windows: Window[] = [];
    killed.begin();
    for (let number = 1; number <= WINDOWS && !run.isHopeless; number += 1) {
      await run.until(Math.ceil((operations * number) / WINDOWS));
      agent.destroy();
      const reading = await server.ask({ do: 'measure' });
      const window = { ...reading, handshakes: run.done, listeners: 0 };
      windows.push(window);
      input.onWindow(window);
    }
    const { doubled } = await origin.ask({ do: 'count' });
    const last = await server.ask({ do: 'close' });
    const checks = [
      ...(run.isHopeless
        ? []
        : flatChecks(windows, { heap: HEAP, rss: RSS, descriptors: DESCRIPTORS })),
      equal('descriptors at the end, as at the start', last.descriptors, last.atStart.descriptors),
      equal('active handles at the end, as at the start', last.resources, last.atStart.resources),
      equal('uploads that came twice', doubled.length, 0),
      ...run.checks(),
    ];
    const { outcomes, failures } = run;
    const durationMs = performance.now() - started;
    const { killed: kills, frozen: freezes } = killed.counts;
    return { windows, outcomes, failures, checks, durationMs, ...run.counts, kills, freezes };
  } finally {
    await Promise.all([origin.end(), calm.end(), server.end(), killed.end()]);
  }
}

class Run {
  readonly outcomes = new Map<string, number>();
  readonly failures: string[] = [];
  done = 0;
  readonly #world: World;
  readonly #input: ServerSoakInput;
  readonly #killed: KilledProxy;
  readonly #troubled = { begun: 0, failed: 0 };
  #number = 0;

  constructor(input: ServerSoakInput, killed: KilledProxy, world: World) {
    this.#input = input;
    this.#killed = killed;
    this.#world = world;
  }

  get isHopeless(): boolean {
    return this.failures.length >= MAX_FAILURES;
  }

  get counts(): World['count'] {
    return this.#world.count;
  }

  /** Operations, several at once, until so many were made. */
  async until(operations: number): Promise<void> {
    const worker = async (): Promise<void> => {
      while (this.#number < operations && !this.isHopeless) {
        await this.#one();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  checks(): Check[] {
    const { begun, failed } = this.#troubled;
    return [
      {
        what: 'operations that came to nothing, where the proxy is killed',
        measured: `${failed} of ${begun}`,
        expected: `at most ${MOST_TROUBLED * 100} %`,
        isMet: failed <= MOST_TROUBLED * begun,
      },
    ];
  }

  async #one(): Promise<void> {
    this.#number += 1;
    const id = String(this.#number);
    const random = randomOf(this.#input.seed, this.#number);
    const deed: Deed = { id, way: drawWay(random), random };
    const kind = drawKind(random);
    const started = performance.now();
    this.#troubled.begun += deed.way === 'killed' ? 1 : 0;
    try {
      this.#count(kind, deed, await inTime(perform(kind, this.#world, deed)));
    } catch (error) {
      if (
        error instanceof Trouble &&
        deed.way === 'killed' &&
        this.#killed.wasAway(started, performance.now())
      ) {
        this.#troubled.failed += 1;
        this.#count(kind, deed, error.message);
      } else {
        this.#fail(kind, deed, error);
      }
    }
    this.done += 1;
  }

  #fail(kind: Kind, deed: Deed, error: unknown): void {
    this.#count(kind, deed, 'FAILED');
    if (!this.isHopeless) {
      const why = error instanceof Error ? (error.cause ?? '') : '';
      this.failures.push(
        `operation ${deed.id}, ${kind}, ${deed.way}: ${String(error)} ${why}`.trim(),
      );
    }
  }

  #count(kind: Kind, { way }: Deed, outcome: string): void {
    const key = `${kind}, ${way}: ${outcome}`;
    this.outcomes.set(key, (this.outcomes.get(key) ?? 0) + 1);
  }
}

function equal<T extends number | string | null>(what: string, measured: T, expected: T): Check {
  return {
    what,
    measured: String(measured),
    expected: String(expected),
    isMet: measured === expected,
  };
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
