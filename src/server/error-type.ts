// Which error type of RFC 9209 section 2.3 a failure is, and the status that goes with it. Owns that table.
import type { ErrorCode } from '../errors/codes.ts';
import { errorWord } from '../errors/error-word.ts';
import type { SallyportError, WaitedFor } from '../errors/sallyport-error.ts';

export type ErrorType = readonly [status: number, type: string];

const OF_CODE: Partial<Record<ErrorCode, ErrorType>> = {
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

const OF_WAIT: Readonly<Record<WaitedFor, ErrorType>> = {
  name: [504, 'dns_timeout'],
  connection: [504, 'connection_timeout'],
  bytes: [504, 'connection_read_timeout'],
  answer: [504, 'http_response_timeout'],
};

/** What the operating system says of a connection that did not come about. */
const OF_SYSTEM: Readonly<Record<string, ErrorType>> = {
  ECONNREFUSED: [502, 'connection_refused'],
  ENOTFOUND: [502, 'dns_error'],
  EAI_AGAIN: [502, 'dns_error'],
  EAI_FAIL: [502, 'dns_error'],
  EAI_NODATA: [502, 'dns_error'],
  EAI_NONAME: [502, 'dns_error'],
  EHOSTUNREACH: [502, 'destination_ip_unroutable'],
  ENETUNREACH: [502, 'destination_ip_unroutable'],
  ETIMEDOUT: [504, 'connection_timeout'],
  ADDRESS_PROHIBITED: [403, 'destination_ip_prohibited'],
};

export function errorTypeOf({ code, cause, waitedFor }: SallyportError): ErrorType {
  if (code === 'TIMEOUT') {
    return OF_WAIT[waitedFor ?? 'answer'];
  }
  const isDialling = code === 'PROXY_UNREACHABLE' || code === 'CONNECT_FAILED';
  const ofSystem = isDialling ? OF_SYSTEM[errorWord(firstOf(cause))] : undefined;
  return ofSystem ?? OF_CODE[code] ?? [502, 'proxy_configuration_error'];
}

/** With several addresses Node reports one error that holds all. */
function firstOf(cause: unknown): unknown {
  return cause instanceof AggregateError ? (cause.errors[0] ?? cause) : cause;
}
