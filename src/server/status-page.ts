// The status of `serve` for people: one page without scripts and without anything from elsewhere. Owns its looks; shows no secret.
import type { Breaker } from '../auth/logons/logon-gate.ts';
import { VERSION } from '../observe/version.ts';
import { escapeHtml } from './answers.ts';
import type { LastSignOn } from './sign-on-ledger.ts';
import type { ServerCounts } from './traffic.ts';

export interface Status {
  /** By the wall clock, in milliseconds. */
  readonly now: number;
  readonly uptimeMs: number;
  /** What is meant for whom: `https://`, and by which proxy or why directly. */
  readonly routes: readonly (readonly [of: string, route: string])[];
  /** Allowed ones, in order. */
  readonly schemes: readonly string[];
  readonly signOns: readonly LastSignOn[];
  readonly breakers: readonly Breaker[];
  readonly counts: ServerCounts;
  readonly logLinesDropped: number;
  /** What the last reading of the configuration came to, in words. */
  readonly configuration: string;
}

type Row = readonly string[];

/** Rows of one table. */
const MAX_ROWS = 50;
const STYLE =
  'body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:50em;padding:0 1em;color-scheme:light dark}' +
  'table{border-collapse:collapse;margin:.5em 0 1.5em}td,th{padding:.2em 1.5em .2em 0;text-align:left;vertical-align:top}' +
  'th{font-weight:600}h2{font-size:1.1em;margin:0}';
const BREAKERS: Readonly<Record<Breaker['state'], string>> = {
  open: 'refused: nothing is sent until the password changes, or sallyport retry',
  waiting: 'in doubt: nothing is sent for some minutes',
  closed: 'accepted',
  unproven: 'not tried yet',
};

export function statusPage(status: Status): string {
  const { counts } = status;
  const parts = [
    table('Ways', [['for', 'by'], ...status.routes]),
    table('Sign-on', [['allowed schemes', status.schemes.join(', ')]]),
    table('Last sign-ons', [
      ['at', 'scheme', 'outcome', 'ago'],
      ...status.signOns.map(({ host, scheme, outcome, at }) => [
        host,
        scheme,
        outcome,
        duration(status.now - at),
      ]),
    ]),
    table('Accounts', [
      ['account', 'in', 'state'],
      ...status.breakers.map(({ account, realm, state }) => [account, realm, BREAKERS[state]]),
    ]),
    table('Traffic', [
      ['', 'open', 'so far'],
      ['connections', String(counts.clientsOpen), String(counts.clients)],
      ['tunnels', String(counts.tunnelsOpen), String(counts.tunnels)],
      ['from programs', '', bytes(counts.bytesUp)],
      ['to programs', '', bytes(counts.bytesDown)],
    ]),
    table('Sallyport', [
      ['version', VERSION],
      ['up for', duration(status.uptimeMs)],
      ['configuration', status.configuration],
      ['log lines lost', String(status.logLinesDropped)],
    ]),
  ];
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sallyport</title>',
    `<style>${STYLE}</style></head><body><h1>Sallyport</h1>`,
    ...parts,
    '<p><a href="/proxy.pac">proxy.pac</a> · <a href="/metrics">metrics</a> · <a href="/healthz">healthz</a></p>',
    '</body></html>\n',
  ].join('\n');
}

/** The first row is its head where there are more; a table of two columns has its head on the left. */
function table(title: string, rows: readonly Row[]): string {
  const shown = rows.slice(0, MAX_ROWS);
  const more = rows.length > shown.length ? `<p>and ${rows.length - shown.length} more</p>` : '';
  const hasHead = (shown[0]?.length ?? 0) > 2 || shown[0]?.[1] === 'by';
  if (hasHead && shown.length === 1) {
    return `<h2>${title}</h2><p>none yet</p>`;
  }
  const lines = shown.map((row, at) =>
    row.map((cell, column) => {
      const name = (hasHead && at === 0) || (!hasHead && column === 0) ? 'th' : 'td';
      return `<${name}>${escapeHtml(cell)}</${name}>`;
    }),
  );
  const body = lines.map((cells) => `<tr>${cells.join('')}</tr>`).join('');
  return `<h2>${title}</h2><table>${body}</table>${more}`;
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const parts = [
    [days, 'd'],
    [hours, 'h'],
    [minutes, 'min'],
    [seconds % 60, 's'],
  ].filter(([count]) => count !== 0);
  return parts.length === 0
    ? '0 s'
    : parts
        .slice(0, 2)
        .map(([count, unit]) => `${count} ${unit}`)
        .join(' ');
}

function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
