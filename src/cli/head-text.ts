// Status line and headers of an answer as `-X HEAD` prints them. Owns their form.
import type { HttpResponse } from '../upstream/upstream.ts';
import { printable } from './printable.ts';

/** One line each, with a line feed only: for people and for grep. */
export function headText({ status, reason, rawHeaders }: HttpResponse): string {
  const lines = [`HTTP/1.1 ${status} ${reason}`.trimEnd()];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  return lines.map((line) => `${printable(line)}\n`).join('');
}
