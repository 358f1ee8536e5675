// The request as it goes on the wire: target form, default headers, and which of the caller's may pass. Owns that list;
// framing and credentials are added by `exchange.ts`.
import { SallyportError } from '../errors/sallyport-error.ts';
import { checkHeaderField } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import { VERSION } from '../observe/version.ts';
import type { WireRequest } from './exchange.ts';
import type { RequestBody } from './upload.ts';
import { Upload } from './upload.ts';

export interface RequestOptions {
  readonly method?: string;
  /** Sent as given, in this order; framing, `Host` and credentials for the proxy are not yours. */
  readonly headers?: readonly HeaderField[];
  readonly body?: RequestBody;
  readonly signal?: AbortSignal;
}

/** Framing and hop-by-hop fields belong to the engine. */
const OURS = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'proxy-connection', 'expect'],
  ...['keep-alive', 'te', 'trailer', 'upgrade', 'proxy-authorization'],
]);

/**
 * @param forwards whether the request goes to a proxy in absolute-form (RFC 9112 section 3.2.2)
 * @throws SallyportError HEADER_INVALID
 */
export function wireRequest(url: URL, options: RequestOptions, forwards: boolean): WireRequest {
  const headers = options.headers ?? [];
  for (const field of headers) {
    checkHeaderField(field);
  }
  const has = (name: string) => headers.some(([own]) => own.toLowerCase() === name);
  const path = `${url.pathname}${url.search}`;
  const defaults: HeaderField[] = [['Host', url.host]];
  if (!has('user-agent')) {
    defaults.push(['User-Agent', `sallyport/${VERSION}`]);
  }
  if (!has('accept')) {
    defaults.push(['Accept', '*/*']);
  }
  if (forwards) {
    defaults.push(['Proxy-Connection', 'Keep-Alive']);
  }
  const { body } = options;
  return {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    target: forwards ? `${url.origin}${path}` : path,
    headers: [...defaults, ...headers.filter(([name]) => !OURS.has(name.toLowerCase()))],
    upload: body === undefined ? null : new Upload(body, declaredLength(headers)),
  };
}

function declaredLength(headers: readonly HeaderField[]): number | null {
  const value = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  if (value === undefined) {
    return null;
  }
  if (!/^\d{1,15}$/.test(value)) {
    throw new SallyportError('HEADER_INVALID', 'Content-Length is not a number of bytes');
  }
  return Number(value);
}
