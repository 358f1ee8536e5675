// What `get --json` tells of a transfer that came to its end. Owns the names in it.
import { routeJson } from './describe-route.ts';
import type { FileDigest } from './file-digest.ts';
import type { Done } from './transfer.ts';

export function summaryOf(done: Done, elapsedMs: number): Record<string, unknown> {
  const { response, redirects, legs, connections, bytes, continuedAt, tries, sha256, sent } = done;
  return {
    finalUrl: response.url,
    status: response.status,
    bytes,
    continuedAt,
    ...(sha256 === null ? {} : { sha256 }),
    ...(sent === null ? {} : { sent }),
    route: routeJson(response.route),
    scheme: response.scheme,
    identity: response.identity,
    legs,
    connections,
    redirects,
    tries,
    elapsedMs: Math.round(elapsedMs),
  };
}

/** Of a file that was there: nobody was asked. */
export function summaryOfFile(
  found: FileDigest | null,
  elapsedMs: number,
): Record<string, unknown> {
  return { skipped: true, ...found, tries: 0, elapsedMs: Math.round(elapsedMs) };
}
