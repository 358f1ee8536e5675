// The local proxy's own answers: a clear page for people, `Proxy-Status` for programs (RFC 9209). Never 407 but for our
// own token, or a client would ask its user for a password; which status and type an error is: `error-type.ts`.

import type { ErrorCode } from '../errors/codes.ts';
import { isSallyportError } from '../errors/sallyport-error.ts';
import type { HeaderField } from '../http1/header-list.ts';
import { errorTypeOf } from './error-type.ts';

export interface OwnAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly HeaderField[];
  readonly body: Buffer;
  /** What failed, where something did. */
  readonly code?: ErrorCode;
  /** And in words, with what to do. */
  readonly why?: string;
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  407: 'Proxy Authentication Required',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  508: 'Loop Detected',
};

/** What a request that could not be served is answered with. */
export function errorAnswer(error: unknown): OwnAnswer {
  if (!isSallyportError(error)) {
    const text = 'Sallyport made a mistake. Please report it';
    return page(502, text, [proxyStatus('proxy_internal_error', String(error))]);
  }
  const { code, message, hint } = error;
  const [ofError, typeOfError] = errorTypeOf(error);
  const received = code === 'PROXY_REFUSED' ? error.status : undefined;
  const type = received === 508 ? 'proxy_loop_detected' : typeOfError;
  const retryAfter = error.retryAfterMs;
  const why = hint === undefined ? message : `${message}. ${hint}`;
  const answer = page(statusFor(received, ofError), why, [
    proxyStatus(type, `${code}: ${message}`, received),
    ...(retryAfter === undefined
      ? []
      : ([['Retry-After', String(Math.ceil(retryAfter / 1000))]] as const)),
  ]);
  // What the client sent itself stands in these words, a password with it.
  return code === 'URL_INVALID' ? { ...answer, code } : { ...answer, code, why };
}

/** What is no request, or breaks off, is answered with. */
export function garbageAnswer(error: unknown): OwnAnswer {
  if (!isSallyportError(error)) {
    return errorAnswer(error);
  }
  const status = { HEAD_TOO_LARGE: 431, TIMEOUT: 408 }[error.code as string] ?? 400;
  const answer = page(status, error.message, [proxyStatus('http_request_error', error.code)]);
  return { ...answer, code: error.code };
}

/** No more clients are taken for the moment. */
export function fullAnswer(clients: number): OwnAnswer {
  return page(503, `${clients} connections are open, as many as this machine allows. Try again`, [
    proxyStatus('connection_limit_reached', `${clients} connections`),
    ['Retry-After', '5'],
  ]);
}

/** A proxy's refusal of a tunnel says most as it is; but what makes a client ask for a password or go elsewhere is not. */
function statusFor(received: number | undefined, otherwise: number): number {
  const isPlain = received !== undefined && received >= 400 && received <= 599;
  return isPlain && received !== 401 && received !== 407 && received !== 511 ? received : otherwise;
}

/** A page of our own. */
export function page(
  status: number,
  text: string,
  headers: readonly HeaderField[] = [],
): OwnAnswer {
  const reason = REASONS[status] ?? 'Error';
  const body = Buffer.from(
    `<!doctype html><title>${status} ${reason}</title><h1>Sallyport: ${reason}</h1><p>${escapeHtml(text)}</p>\n`,
  );
  return {
    status,
    reason,
    headers: [['Content-Type', 'text/html; charset=utf-8'], ...headers],
    body,
  };
}

/** `Proxy-Status: sallyport; error=...; received-status=...; details="..."` */
export function proxyStatus(type: string, details: string, received?: number): HeaderField {
  // A structured string holds ASCII only (RFC 8941 section 3.3.3).
  const text = details.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&');
  const heard = received === undefined ? '' : ` received-status=${received};`;
  return ['Proxy-Status', `sallyport; error=${type};${heard} details="${text}"`];
}

/** The head and, unless the request was a HEAD, the body. */
export function answerBytes(answer: OwnAnswer, method: string, keepsOpen: boolean): Buffer {
  const lines = [
    `HTTP/1.1 ${answer.status} ${answer.reason}`,
    ...answer.headers.map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${answer.body.length}`,
    ...(keepsOpen ? [] : ['Connection: close', 'Proxy-Connection: close']),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return method === 'HEAD' ? head : Buffer.concat([head, answer.body]);
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
