// The public names of Sallyport, one by one.
export type { NegotiateForm } from './auth/mechanisms.ts';
export type { SchemeName } from './auth/session.ts';
export { type Blame, ERROR_CODES, type ErrorCode, type Outcome } from './errors/codes.ts';
export { isSallyportError, type NativeStatus, SallyportError } from './errors/sallyport-error.ts';
export type { HeaderField } from './http1/header-list.ts';
export {
  type ChoiceEvent,
  type ConnectionEvent,
  EVENT_NAMES,
  type HandshakeEvent,
  type Layer,
  type LegEvent,
  type ReadyEvent,
  type RequestEvent,
} from './observe/events.ts';
export { formatProxyUrl, type ProxyAddress, type Route, type RouteSource } from './route/route.ts';
export {
  createProxyServer,
  type ProxyServer,
  type ProxyServerOptions,
  type ServerCounts,
} from './server/local-proxy.ts';
export { ClientTie } from './upstream/client-tie.ts';
export { connect, createUpstream, openTunnel, request, resolveProxy } from './upstream/one-shot.ts';
export type { SallyportOptions } from './upstream/settings.ts';
export type { SpnCanonical } from './upstream/stated-values.ts';
export type { Target } from './upstream/target.ts';
export type { RequestBody } from './upstream/upload.ts';
export type {
  ConnectOptions,
  ConnectResult,
  HttpResponse,
  Upstream,
} from './upstream/upstream.ts';
export type { RequestOptions } from './upstream/wire-request.ts';
