import { describe, expect, it } from 'vitest';
import { SallyportError } from '../errors/sallyport-error.ts';
import { failed, finding } from './findings.ts';
import { reportLines } from './report-text.ts';
import type { Verdict } from './verdict.ts';

const works: Verdict = { works: true, title: 'all is well' };
const long = Array.from({ length: 40 }, (_, at) => `word${at}`).join(' ');

describe('reportLines()', () => {
  it('names a layer once, and marks each finding in ASCII', () => {
    const findings = [
      finding('platform', 'ok', 'Machine'),
      finding('security-library', 'note', 'No library', { next: 'Install it.' }),
      finding('proxy-tcp', 'skipped', 'Not looked at'),
    ];
    expect(reportLines(findings, works, 80)).toEqual([
      ' ok  machine    Machine',
      ' --             No library',
      '                => Install it.',
      ' --  connection Not looked at',
      '',
      'It works: all is well.',
    ]);
  });

  it('gives a problem its code, and ends with whose turn it is and what to do', () => {
    const error = new SallyportError('TICKET_MISSING', 'There is no ticket', { hint: 'kinit' });
    const verdict: Verdict = {
      works: false,
      title: 'no',
      turn: 'yours',
      code: 'TICKET_MISSING',
      next: 'kinit',
    };
    expect(reportLines([failed('kerberos', error)], verdict, 80)).toEqual([
      ' !!  sign-on    There is no ticket [TICKET_MISSING]',
      '',
      'It does not work: no.',
      'Whose turn: yours [TICKET_MISSING]',
      'Next: kinit',
    ]);
  });

  it.each([40, 80, 100, 300])('keeps within the terminal of %i columns, 60 to 100', (columns) => {
    const findings = [finding('platform', 'ok', long, { detail: [long], next: long })];
    const lines = reportLines(findings, { ...works, next: `Do: ${long}` }, columns);
    const widest = Math.max(...lines.map(({ length }) => length));
    expect(widest).toBeLessThan(Math.min(Math.max(columns, 60), 100));
    expect(widest).toBeGreaterThan(50);
    expect(lines.join(' ').match(/word39/g)).toHaveLength(4);
  });

  it('leaves a word whole that is longer than a line', () => {
    const address = `https://example.com/${'x'.repeat(120)}`;
    expect(reportLines([finding('route', 'ok', `To ${address}`)], works, 80)[1]).toBe(
      `                ${address}`,
    );
  });
});
