// Who may use the port: the bearer of its token. Owns that judgement and our own 407; an upstream's 407 is another matter.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHead } from '../http1/head.ts';
import type { OwnAnswer } from './answers.ts';
import { page, proxyStatus } from './answers.ts';

export interface Admission {
  /** @returns `null` to let it pass, else what it is answered with */
  judge(head: RequestHead): OwnAnswer | null;
}

/** The token is the password of any user name, as `http://x:TOKEN@127.0.0.1:PORT` makes clients send it. */
export function bearerAdmission(token: string): Admission {
  const wanted = digest(token);
  return {
    judge: ({ headers }) => {
      const sent = headers.all('proxy-authorization');
      const [credentials = ''] = sent;
      const given = passwordIn(credentials);
      const isRight = timingSafeEqual(digest(given ?? ''), wanted) && given !== null;
      return isRight && sent.length === 1 ? null : unknownBearer(sent.length > 0);
    },
  };
}

function unknownBearer(hasSent: boolean): OwnAnswer {
  const text = hasSent
    ? 'This port belongs to one run of Sallyport, and the token that was sent is not the one of that run. Nothing was sent on.'
    : 'This port belongs to one run of Sallyport, and wants the token of that run, which stands in HTTP_PROXY of its programs. Nothing was sent on.';
  return page(407, text, [
    ['Proxy-Authenticate', 'Basic realm="sallyport"'],
    proxyStatus('http_request_denied', 'the token of this run is missing or wrong'),
  ]);
}

/** Of `Basic` credentials, what stands behind the first colon. */
function passwordIn(credentials: string): string | null {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(credentials) ?? [];
  const text = Buffer.from(encoded ?? '', 'base64').toString();
  const colon = text.indexOf(':');
  return colon === -1 ? null : text.slice(colon + 1);
}

/** Compared as digests, so that neither time nor length tells anything. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
