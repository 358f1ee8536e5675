// The summary of a run as text. Owns its layout.
import type { SoakResult, Window } from './run.ts';

/** Rows of windows that are shown: first, last and some between. */
const SHOWN_WINDOWS = 9;

/** @param did the first line */
export function formatReport(
  result: Pick<SoakResult, 'windows' | 'outcomes' | 'failures' | 'checks'>,
  did: string,
): string {
  const { windows, outcomes, failures, checks } = result;
  const bad = checks.filter(({ isMet }) => !isMet);
  const unequal = checks.filter(({ what, isMet }) => isMet && !what.includes(': '));
  const counted = checks.length - unequal.length - bad.length;
  const isFine = bad.length === 0 && failures.length === 0;
  return [
    did,
    '',
    table([
      ['handshakes', 'heap MB', 'RSS MB', 'descriptors', 'listeners'],
      ...spread(windows).map(cellsOf),
    ]),
    '',
    table([
      ['operation: outcome', 'times'],
      ...[...outcomes].sort().map(([what, times]) => [what, number(times)]),
    ]),
    '',
    table([
      ['check', 'measured', 'expected', ''],
      ...[...unequal, ...bad].map(({ what, measured, expected, isMet }) => [
        what,
        measured,
        expected,
        isMet ? 'ok' : 'FAILED',
      ]),
      ...(counted > 0
        ? [[`counts, here and at the proxies`, `${counted} as they must be`, '', 'ok']]
        : []),
    ]),
    ...(failures.length > 0 ? ['', ...failures.map((failure) => `FAILED: ${failure}`)] : []),
    '',
    isFine ? 'soak: ok' : `soak: FAILED (${bad.length} checks, ${failures.length} operations)`,
  ].join('\n');
}

/** How much was done. */
export function formatDeeds({ windows, operations, durationMs }: SoakResult): string {
  const handshakes = windows.at(-1)?.handshakes ?? 0;
  return `${number(operations)} operations, ${number(handshakes)} handshakes in ${Math.round(durationMs / 1000)} s`;
}

/** One line over and over, on a terminal. */
export function formatProgress(window: Window, handshakes: number): string {
  const [done, heap, rss, descriptors] = cellsOf(window);
  return `${done} of ${number(handshakes)} handshakes, heap ${heap} MB, RSS ${rss} MB, ${descriptors} descriptors`;
}

function cellsOf({ handshakes, heap, rss, descriptors, listeners }: Window): string[] {
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
  return [
    number(handshakes),
    mb(heap),
    mb(rss),
    descriptors === null ? '-' : String(descriptors),
    String(listeners),
  ];
}

function spread(windows: readonly Window[]): Window[] {
  const step = Math.max(1, Math.ceil((windows.length - 1) / (SHOWN_WINDOWS - 1)));
  return windows.filter((_, index) => index % step === 0 || index === windows.length - 1);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
