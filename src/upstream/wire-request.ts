// The request as it goes on the wire: target form, default headers, and which of the caller's may pass. Owns that list;
// framing and credentials are added by `exchange.ts`.
import { SallyportError } from '../errors/sallyport-error.ts';
import { checkHeaderField } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import { VERSION } from '../observe/version.ts';
import type { ClientTie } from './client-tie.ts';
import type { WireRequest } from './exchange.ts';
import type { RequestBody } from './upload.ts';
import { Upload } from './upload.ts';

export interface RequestOptions {
  readonly method?: string;
  /** Pairs or an object, sent as given; framing, `Host` and credentials for the proxy are refused. */
  readonly headers?: readonly HeaderField[] | Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly signal?: AbortSignal;
  /**
   * A client's own request, handed on: its path and query as they were written. No field is added to it, and values go out
   * byte for byte, one a character.
   */
  readonly forwardedPath?: string;
  /** As `ConnectOptions.via`, where a tunnel is opened for it. */
  readonly via?: string;
  /** As `ConnectOptions.mayReach`. */
  readonly mayReach?: (address: string) => boolean;
  /** The client it is for, where a program serves several: `ClientTie`. */
  readonly tie?: ClientTie;
}

/** Framing, hop-by-hop fields and credentials for the proxy belong to the engine. */
const OURS = new Set([
  ...['host', 'transfer-encoding', 'connection', 'proxy-connection', 'expect', 'keep-alive'],
  ...['te', 'trailer', 'upgrade', 'proxy-authorization'],
]);
/** The methods the fetch standard writes in capitals, however they were given. */
const STANDARD_METHODS = /^(?:delete|get|head|options|post|put)$/i;

/**
 * @param forwards whether the request goes to a proxy in absolute-form (RFC 9112 section 3.2.2)
 * @throws SallyportError HEADER_INVALID
 */
export function wireRequest(url: URL, options: RequestOptions, forwards: boolean): WireRequest {
  const headers = fieldsOf(options.headers ?? []);
  for (const field of headers) {
    checkHeaderField(field);
    checkIsNotOurs(field);
  }
  const has = (name: string) => headers.some(([own]) => own.toLowerCase() === name);
  const { forwardedPath } = options;
  const isForwarded = forwardedPath !== undefined;
  const path = forwardedPath ?? `${url.pathname}${url.search}`;
  const defaults: HeaderField[] = [['Host', url.host]];
  if (!(isForwarded || has('user-agent'))) {
    defaults.push(['User-Agent', `sallyport/${VERSION}`]);
  }
  if (!(isForwarded || has('accept'))) {
    defaults.push(['Accept', '*/*']);
  }
  if (forwards) {
    defaults.push(['Proxy-Connection', 'Keep-Alive']);
  }
  const { body } = options;
  const method = options.method ?? (body === undefined ? 'GET' : 'POST');
  return {
    method: STANDARD_METHODS.test(method) && !isForwarded ? method.toUpperCase() : method,
    target: forwards ? `${url.origin}${path}` : path,
    headers: [...defaults, ...headers.filter(([name]) => !isContentLength(name))],
    encoding: isForwarded ? 'latin1' : 'utf8',
    upload: body === undefined ? null : new Upload(body, declaredLength(headers)),
  };
}

function fieldsOf(headers: NonNullable<RequestOptions['headers']>): readonly HeaderField[] {
  return Array.isArray(headers) ? headers : Object.entries(headers);
}

function checkIsNotOurs([name]: HeaderField): void {
  if (OURS.has(name.toLowerCase())) {
    throw new SallyportError('HEADER_INVALID', `The header ${name} is set by Sallyport itself`);
  }
}

function isContentLength(name: string): boolean {
  return name.toLowerCase() === 'content-length';
}

function declaredLength(headers: readonly HeaderField[]): number | null {
  const value = headers.find(([name]) => isContentLength(name))?.[1];
  if (value === undefined) {
    return null;
  }
  if (!/^\d{1,15}$/.test(value)) {
    throw new SallyportError('HEADER_INVALID', 'Content-Length is not a number of bytes');
  }
  return Number(value);
}
