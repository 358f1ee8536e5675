// The local proxy's own answers: a clear page for people, `Proxy-Status` for programs (RFC 9209). Owns which status an error
// becomes: never 407 but for our own token, or a client would ask its user for a password.
import type { ErrorCode } from '../errors/codes.ts';
import type { SallyportError } from '../errors/sallyport-error.ts';
import type { HeaderField } from '../http1/header-list.ts';

export interface OwnAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly HeaderField[];
  readonly body: Buffer;
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  407: 'Proxy Authentication Required',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  508: 'Loop Detected',
};

/** Proxy error types of RFC 9209 section 2.3. */
const ERROR_TYPES: Partial<Record<ErrorCode, readonly [status: number, type: string]>> = {
  TIMEOUT: [504, 'connection_timeout'],
  PROXY_UNREACHABLE: [502, 'destination_unavailable'],
  CONNECT_FAILED: [502, 'destination_unavailable'],
  CONNECTION_LOST: [502, 'connection_terminated'],
  HANDSHAKE_CUT: [502, 'connection_terminated'],
  BODY_INCOMPLETE: [502, 'http_response_incomplete'],
  PROXY_TLS_FAILED: [502, 'tls_certificate_error'],
  TLS_FAILED: [502, 'tls_certificate_error'],
  RESPONSE_INVALID: [502, 'http_protocol_error'],
  PROXY_GARBLED: [502, 'http_protocol_error'],
  HEAD_TOO_LARGE: [502, 'http_response_header_section_size'],
  PROXY_REFUSED: [502, 'http_request_denied'],
  PROXY_DENIED: [502, 'http_request_denied'],
  URL_INVALID: [400, 'http_request_error'],
  HEADER_INVALID: [400, 'http_request_error'],
};

/** What a failed request is answered with. */
export function errorAnswer(error: SallyportError): OwnAnswer {
  const [status, type] = ERROR_TYPES[error.code] ?? [502, 'proxy_configuration_error'];
  const text = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  return page(status, text, [proxyStatus(type, `${error.code}: ${error.message}`)]);
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

/** `Proxy-Status: sallyport; error=...; details="..."` */
export function proxyStatus(type: string, details: string): HeaderField {
  // A structured string holds ASCII only (RFC 8941 section 3.3.3).
  const text = details.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&');
  return ['Proxy-Status', `sallyport; error=${type}; details="${text}"`];
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

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
