// What a run must have held: memory flat, nothing left, and both sides' counts equal. Owns the tolerances and what each
// count is to be equal to.
import type { ProxyCounts } from 'sallyport/testing';
import type { Tolerance } from './flatness.ts';
import { judgeFlatness } from './flatness.ts';
import type { ProxyName } from './plan.ts';
import { namesOf, planOf } from './plan.ts';
import type { StageCounts } from './stage-process.ts';
import type { Tally } from './tally.ts';

export interface Check {
  readonly what: string;
  readonly measured: string;
  readonly expected: string;
  readonly isMet: boolean;
}

/** One fifth of a run: by then the code is compiled, and the pools are full. */
const WARM_UP_SHARE = 0.2;
/** A forgotten object of the smallest kind is 24 bytes or more; one forgotten at every handshake shows. */
const HEAP: Tolerance = { floor: 1_500_000, perHandshake: 20 };
/** The allocator gives pages back when it likes to; beside other work 1,000 handshakes left 4 to 18 MB. */
const RSS: Tolerance = { floor: 32_000_000, perHandshake: 160 };
/** Pooled connections come and go: eight per client at most. */
const DESCRIPTORS: Tolerance = { floor: 12, perHandshake: 0 };

/**
 * Of what is begun, so much may end in nothing at most: of 100 operations on a wild proxy 32 are bodies that are given up and
 * 48 are aborted before a time; a shaky relay lets 35 of 100 connections pass.
 */
const MOST_BROKEN: Readonly<Record<'wild' | 'shaky', number>> = { wild: 0.85, shaky: 0.65 };
/** Standard deviations: operations are drawn, and few of them may be drawn badly. */
const DRAWN_BADLY = 3;
/** So many do not all fail by chance. */
const MANY = 60;

/** What the gauges were at the end of each window. */
interface Window {
  readonly handshakes: number;
  readonly heap: number;
  readonly rss: number;
  readonly descriptors: number | null;
  readonly listeners: number;
}

export function memoryChecks(windows: readonly Window[]): Check[] {
  const most = Math.max(...windows.map(({ listeners }) => listeners));
  return [
    ...flatChecks(windows, { heap: HEAP, rss: RSS, descriptors: DESCRIPTORS }),
    equal('listeners on the shared signal, at most', most, 0),
  ];
}

/** Whether nothing grows from the warm-up on. */
export function flatChecks(
  windows: readonly Window[],
  tolerances: Readonly<Record<'heap' | 'rss' | 'descriptors', Tolerance>>,
): Check[] {
  const warm = windows.slice(Math.round(windows.length * WARM_UP_SHARE));
  const flat = (
    what: string,
    value: (window: Window) => number,
    tolerance: Tolerance,
    unit: Unit,
  ) => {
    const samples = warm.map((window) => ({ at: window.handshakes, value: value(window) }));
    const { growth, allowed, isFlat } = judgeFlatness(samples, tolerance);
    return {
      what: `${what}, growth after the warm-up`,
      measured: unit(growth),
      expected: `at most ${unit(allowed)}`,
      isMet: isFlat,
    };
  };
  const { heap, rss, descriptors } = tolerances;
  return [
    flat('heap', (window) => window.heap, heap, megabytes),
    flat('resident set', (window) => window.rss, rss, megabytes),
    flat('descriptors', (window) => window.descriptors ?? 0, descriptors, whole),
  ];
}

/** Both sides' counts, proxy by proxy. */
export function countChecks(tally: Tally, counts: StageCounts): Check[] {
  return [
    ...namesOf('calm').flatMap((name) => calmChecks(name, tally, counts[name])),
    ...namesOf('cutting').flatMap((name) => cuttingChecks(name, tally, counts[name])),
    ...namesOf('refusing').flatMap((name) => refusingChecks(name, tally, counts[name])),
    ...[...namesOf('wild'), ...namesOf('shaky')].flatMap((name) =>
      wildChecks(name, tally, counts[name]),
    ),
  ];
}

function calmChecks(name: ProxyName, tally: Tally, counts: ProxyCounts): Check[] {
  const seen = tally.of(name);
  const row = rowOf(name);
  return [
    row('requests', seen.answered, counts.requests),
    row('legs told to callers', seen.toldLegs, counts.requests),
    row('connections', seen.opened, counts.connections),
    row('connections told to callers', seen.toldConnections, counts.connections),
    row('tunnels', seen.tunnels, counts.tunnels),
    row('forwarded', seen.forwarded, counts.forwarded),
    row('last legs', seen.accepted, sum(counts.finalLegs)),
    row('operations that did not succeed', seen.broken, 0),
    row('wrong logons', sum(accountsOf(counts.refusals)), 0),
  ];
}

/** Each operation is one sign-on; where the last leg is cut, it must have been sent once. */
function cuttingChecks(name: ProxyName, tally: Tally, counts: ProxyCounts): Check[] {
  const { begun, opened } = tally.of(name);
  const row = rowOf(name);
  return [
    row('connections', opened, counts.connections),
    row('last legs', name === 'cut-final' ? begun : 0, sum(counts.finalLegs)),
    row('wrong logons', sum(accountsOf(counts.refusals)), 0),
  ];
}

/** However often it was asked, the account was tried once. */
function refusingChecks(name: ProxyName, tally: Tally, counts: ProxyCounts): Check[] {
  const tried = tally.of(name).begun > 0 ? 1 : 0;
  return [rowOf(name)('wrong logons', sum(accountsOf(counts.refusals)), tried)];
}

/** Where requests are given up, the proxy may have seen more than was answered, but not less. */
function wildChecks(name: ProxyName, tally: Tally, counts: ProxyCounts): Check[] {
  const { answered, begun, broken, tunnels, forwarded } = tally.of(name);
  const row = rowOf(name);
  return [
    atLeast(name, 'requests', counts.requests, answered),
    atLeast(name, 'tunnels', counts.tunnels, tunnels),
    atLeast(name, 'forwarded', counts.forwarded, forwarded),
    atMost(name, 'operations that did not succeed', broken, mostBroken(name, begun)),
    atLeast(name, 'operations that succeeded', begun - broken, begun < MANY ? 0 : 1),
    row('wrong logons', sum(accountsOf(counts.refusals)), 0),
  ];
}

function mostBroken(name: ProxyName, begun: number): number {
  const share = planOf(name).role === 'shaky' ? MOST_BROKEN.shaky : MOST_BROKEN.wild;
  return share * begun + DRAWN_BADLY * Math.sqrt(share * (1 - share) * begun);
}

function rowOf(name: ProxyName) {
  return (what: string, here: number, there: number): Check =>
    equal(`${name}: ${what}`, here, there);
}

function equal(what: string, measured: number, expected: number): Check {
  return {
    what,
    measured: whole(measured),
    expected: whole(expected),
    isMet: measured === expected,
  };
}

function atMost(name: ProxyName, what: string, measured: number, most: number): Check {
  return {
    what: `${name}: ${what}`,
    measured: whole(measured),
    expected: `at most ${whole(most)}`,
    isMet: measured <= most,
  };
}

function atLeast(name: ProxyName, what: string, measured: number, least: number): Check {
  return {
    what: `${name}: ${what}`,
    measured: whole(measured),
    expected: `at least ${whole(least)}`,
    isMet: measured >= least,
  };
}

/** A token that names nobody, as raw NTLM where SPNEGO is wanted, is no logon. */
function accountsOf(refusals: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(refusals).filter(([user]) => user !== ''));
}

function sum(counters: Readonly<Record<string, number>>): number {
  return Object.values(counters).reduce((total, count) => total + count, 0);
}

type Unit = (value: number) => string;

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function megabytes(value: number): string {
  return `${(value / 1e6).toFixed(2)} MB`;
}
