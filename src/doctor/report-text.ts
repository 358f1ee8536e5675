// The report for people: quiet lines that a support desk can read out, in any console. Owns the layout; plain ASCII marks, no
// colour.
import type { DoctorLayer, Finding, FindingStatus } from './findings.ts';
import type { Verdict } from './verdict.ts';

const MARKS: Readonly<Record<FindingStatus, string>> = {
  ok: 'ok',
  note: '--',
  problem: '!!',
  skipped: '--',
};
const LAYER_NAMES: Readonly<Record<DoctorLayer, string>> = {
  platform: 'machine',
  route: 'route',
  'proxy-dns': 'name',
  'proxy-tcp': 'connection',
  'proxy-tls': 'TLS',
  offers: 'offers',
  identity: 'sign-on',
  handshake: 'request',
};
const INDENT = ' '.repeat(16);
const MIN_COLUMNS = 60;
const MAX_COLUMNS = 100;

/**
 * The lines of a report. A text from a server may hold control characters: the caller takes them out.
 *
 * @param columns of the terminal
 */
export function reportLines(
  findings: readonly Finding[],
  verdict: Verdict,
  columns: number,
): string[] {
  const width = Math.min(Math.max(columns, MIN_COLUMNS), MAX_COLUMNS) - 1;
  const lines = findings.flatMap((one, at) =>
    findingLines(one, {
      isFirst: findings[at - 1]?.layer !== one.layer,
      isSaidBelow: one.next === verdict.next,
      width,
    }),
  );
  return [...lines, '', ...verdictLines(verdict, width)];
}

function verdictLines({ works, title, turn, code, next }: Verdict, width: number): string[] {
  return [
    ...wrap(`${summaryOf(works)}: ${title}.`, '', '', width),
    ...(turn === undefined ? [] : [`Whose turn: ${turn} [${code}]`]),
    ...(next === undefined ? [] : wrap(`Next: ${next}`, '', '      ', width)),
  ];
}

function summaryOf(works: boolean | null): string {
  if (works === null) {
    return 'No verdict';
  }
  return works ? 'It works' : 'It does not work';
}

interface Layout {
  /** Of its layer. */
  readonly isFirst: boolean;
  /** What to do is what the verdict says anyway. */
  readonly isSaidBelow: boolean;
  readonly width: number;
}

function findingLines(one: Finding, { isFirst, isSaidBelow, width }: Layout): string[] {
  const layer = isFirst ? LAYER_NAMES[one.layer] : '';
  const start = ` ${MARKS[one.status]}  ${layer.padEnd(INDENT.length - 5)}`;
  const title = one.status === 'problem' && one.code ? `${one.title} [${one.code}]` : one.title;
  const detail = one.detail?.flatMap((line) => wrap(line, INDENT, `${INDENT}  `, width)) ?? [];
  const next =
    one.next === undefined || isSaidBelow
      ? []
      : wrap(`=> ${one.next}`, INDENT, `${INDENT}   `, width);
  return [...wrap(title, start, INDENT, width), ...detail, ...next];
}

/** Breaks between words; a word that is longer than a line stays whole, for it may be copied. */
function wrap(text: string, start: string, indent: string, width: number): string[] {
  const lines: string[] = [];
  let line = start;
  let isEmpty = true;
  for (const word of text.split(/\s+/)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
