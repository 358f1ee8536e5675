// What one run of doctor is about, and the facts its checks hand on. Owns no check and no connection.
import type { SallyportError } from '../errors/sallyport-error.ts';
import type { ProxyAddress, Route } from '../route/route.ts';
import type { UpstreamSettings } from '../upstream/settings.ts';
import type { Target } from '../upstream/target.ts';
import { targetName, targetOf } from '../upstream/target.ts';
import type { Finding, FindingId } from './findings.ts';

/** How the proxy was passed. */
export interface Passage {
  /** `Negotiate`, or `null` where no sign-on was asked for. */
  readonly scheme: string | null;
  readonly identity: string | null;
  readonly legs: number;
  readonly elapsedMs: number;
}

/** The facts found so far; each is set by one check and `null` before. */
export class Examination {
  readonly url: URL;
  readonly settings: UpstreamSettings;
  /** Whether the URL was asked about; else it is but an example, and nothing but the proxy is contacted. */
  readonly isAsked: boolean;
  readonly target: Target;
  route: Route | null = null;
  /** Schemes the proxy asked for; empty when it let the request pass. */
  offers: readonly string[] | null = null;
  passage: Passage | null = null;
  /** What stands in the way: the first error no later check can get round. */
  stop: SallyportError | null = null;

  constructor(url: URL, settings: UpstreamSettings, isAsked: boolean) {
    this.url = url;
    this.settings = settings;
    this.isAsked = isAsked;
    this.target = targetOf(url);
  }

  get proxy(): ProxyAddress | null {
    return this.route?.kind === 'proxy' ? this.route.proxy : null;
  }

  /** `host:port` of the proxy. */
  get proxyName(): string {
    return this.proxy === null ? 'no proxy' : targetName(this.proxy);
  }

  /** Why nothing can be asked of the proxy; `null` when it can. */
  get withoutProxy(): string | null {
    if (this.route === null) {
      return 'the route is not known';
    }
    if (this.route.kind === 'direct') {
      return 'there is no proxy on this route';
    }
    return this.stop === null ? null : 'the proxy cannot be used, as said above';
  }

  /** The request as `get` would send it: a tunnel for https, a forwarded request for http. */
  get request(): { readonly method: string; readonly target: string } {
    return this.url.protocol === 'https:'
      ? { method: 'CONNECT', target: targetName(this.target) }
      : { method: 'HEAD', target: `${this.url.origin}${this.url.pathname}${this.url.search}` };
  }

  /** The same for people, without path and query. */
  get requestName(): string {
    const { method, target } = this.request;
    return `${method} ${method === 'CONNECT' ? target : this.url.origin}`;
  }
}

/** One thing doctor looks at. */
export interface Check {
  /** The finding that says so when the check is skipped, fails or takes too long. */
  readonly id: FindingId;
  /** What is under way, for a progress line: `connecting to the proxy`. */
  readonly doing: string;
  readonly limitMs: number;
  /** Whether nothing that comes later can work when this check fails. */
  readonly isOnTheWay: boolean;
  /** Why there is nothing to look at; `null` when there is. */
  skip(examination: Examination): string | null;
  /**
   * @param signal ends the check's connections when its time is over
   * @throws SallyportError which becomes the finding
   */
  run(examination: Examination, signal: AbortSignal): Promise<readonly Finding[]>;
}
