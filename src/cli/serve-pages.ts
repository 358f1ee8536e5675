// The pages of `serve`: which there are, and what they are made from.
import type { Breaker } from '../auth/logons/logon-gate.ts';
import type { MetricsInputs } from '../server/metrics.ts';
import { createMetrics } from '../server/metrics.ts';
import type { OwnPages } from '../server/own-pages.ts';
import { createOwnPages } from '../server/own-pages.ts';
import { pacFile } from '../server/pac-file.ts';
import { SignOnLedger } from '../server/sign-on-ledger.ts';
import { statusPage } from '../server/status-page.ts';
import type { UpstreamSettings } from '../upstream/settings.ts';
import { describeRoute } from './describe-route.ts';

export interface ServePagesInputs extends MetricsInputs {
  readonly breakers: () => readonly Breaker[];
  /** Those that count now. */
  readonly settings: () => UpstreamSettings;
  /** What the last reading of the configuration came to. */
  readonly configuration: () => string;
}

/** PAC evaluators of Windows want this one. */
const PAC_TYPE = 'application/x-ns-proxy-autoconfig';
const PLAIN = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
/** Any host that stands on no list. */
const ANY = 'a-host-of-no-list.invalid';

/** Counts from now on, until disposed. */
export function servePages(inputs: ServePagesInputs): Disposable & { readonly pages: OwnPages } {
  const metrics = createMetrics(inputs);
  const ledger = new SignOnLedger();
  const status = () => ({ contentType: HTML, text: statusPage(statusOf(inputs, ledger)) });
  const pages = createOwnPages({
    '/': status,
    '/status': status,
    '/healthz': () => ({ contentType: PLAIN, text: 'ok\n' }),
    '/metrics': () => metrics.page(),
    '/proxy.pac': (host) => ({ contentType: PAC_TYPE, text: pacFor(host, inputs.settings()) }),
  });
  return {
    pages,
    [Symbol.dispose]: () => {
      metrics[Symbol.dispose]();
      ledger[Symbol.dispose]();
    },
  };
}

function pacFor(host: string, settings: UpstreamSettings): string {
  return pacFile(host, { http: settings.wayFor('http:'), https: settings.wayFor('https:') });
}

function statusOf(inputs: ServePagesInputs, ledger: SignOnLedger) {
  const settings = inputs.settings();
  return {
    now: Date.now(),
    uptimeMs: process.uptime() * 1000,
    routes: ['https://', 'http://'].map(
      (of) => [of, describeRoute(settings.routeFor(new URL(`${of}${ANY}/`)))] as const,
    ),
    schemes: settings.allow,
    signOns: ledger.entries,
    breakers: inputs.breakers(),
    counts: inputs.counts(),
    logLinesDropped: inputs.logLinesDropped(),
    configuration: inputs.configuration(),
  };
}
