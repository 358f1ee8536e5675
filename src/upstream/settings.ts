// Everything an upstream is told: options of the caller, then SALLYPORT_* and the environment, then the configuration
// file. Owns the merging and the defaults (docs/defaults.md).
import type { SecureContext } from 'node:tls';
import type { CredentialSource, Identity } from '../auth/credentials.ts';
import { findIdentity } from '../auth/credentials.ts';
import type { AllowedScheme, NegotiateForm } from '../auth/mechanisms.ts';
import { ALLOWED_SCHEMES, DEFAULT_ALLOWED } from '../auth/mechanisms.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { redactUrl } from '../observe/redact.ts';
import { Secret } from '../observe/secret.ts';
import { resolveRoute } from '../route/resolve-route.ts';
import type { ProxyAddress, Route } from '../route/route.ts';
import { readConfiguration } from '../settings/config-file.ts';
import { readEnvironment } from '../settings/environment.ts';
import { parseWordList } from '../settings/word-list.ts';
import { trustAlso } from './certificate-authorities.ts';
import type { Target } from './target.ts';
import { targetName } from './target.ts';

/** What a caller may say. Everything is optional; the same words as on the command line. */
export interface SallyportOptions {
  /** `http://host:port`, `https://host:port`, or `direct`. */
  readonly proxy?: string;
  /** Hosts that need no proxy, comma-separated. */
  readonly noProxy?: string;
  /** Allowed schemes in order of preference: `negotiate`, `ntlm`, `basic`. Default `negotiate,ntlm`. */
  readonly auth?: string | readonly string[];
  /** `DOMAIN\name`, `name@domain` or `name`. */
  readonly user?: string;
  readonly password?: string;
  /** Credentials for origins in `trusted`. */
  readonly originUser?: string;
  readonly originPassword?: string;
  /** Origins whose 401 may be answered: `host` or `host:port`. None by default. */
  readonly trusted?: string | readonly string[];
  /** A PEM file of certificate authorities to trust besides Node's. */
  readonly ca?: string;
  /** The service name of the proxy instead of `HTTP/host`. */
  readonly spn?: string;
  /** Basic over an unencrypted connection to the proxy: the password can be read on the way. */
  readonly allowBasicHttp?: boolean;
  /** The form of NTLM inside Negotiate: `auto` (raw, then SPNEGO), `raw` or `spnego`. */
  readonly negotiateForm?: NegotiateForm;
  /** A configuration file instead of the user's own. */
  readonly config?: string;
  /** For TCP, and once more for TLS. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** For the answer to each leg of a sign-on but the last. Default 30,000. */
  readonly handshakeTimeoutMs?: number;
  /** For silence at any other time. Default 120,000. */
  readonly idleTimeoutMs?: number;
  /** The environment to read; default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
}

/** The same, merged, checked and ready to be asked. */
export interface UpstreamSettings {
  routeFor(url: URL): Route;
  /** Who signs on to this proxy; `null` when the name or the password is missing. */
  identityFor(proxy: ProxyAddress): Identity | null;
  /** The name alone. */
  userFor(proxy: ProxyAddress): string | null;
  isTrustedOrigin(origin: Target): boolean;
  readonly originIdentity: Identity | null;
  readonly originUser: string | null;
  readonly allow: readonly AllowedScheme[];
  readonly negotiateForm: NegotiateForm;
  readonly allowBasicHttp: boolean;
  readonly spn: string | undefined;
  readonly secureContext: SecureContext | undefined;
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** A larger timer would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_HANDSHAKE_TIMEOUT_MS = 30_000;
const DEFAULT_IDLE_TIMEOUT_MS = 120_000;

/**
 * Merges options, environment and configuration file, strongest first.
 *
 * @throws SallyportError OPTION_INVALID, CONFIG_INVALID, CA_UNREADABLE
 */
export async function resolveSettings(options: SallyportOptions = {}): Promise<UpstreamSettings> {
  checkOptions(options);
  const env = options.env ?? process.env;
  const environment = readEnvironment(env);
  const configuration = await readConfiguration(options.config ?? environment.config, env);
  const inputs = { options, environment: environment.proxies, configuration };
  const ca = options.ca ?? environment.ca ?? configuration?.ca;
  const trusted = parseTrusted(
    words(options.trusted) ?? environment.trusted ?? configuration?.trusted ?? [],
  );
  const named: CredentialSource[] = [
    { user: options.user, password: secretOf(options.password) },
    { user: environment.user, password: environment.password },
    { user: configuration?.user },
  ];
  const namedForOrigins: CredentialSource[] = [
    { user: options.originUser, password: secretOf(options.originPassword) },
    { user: environment.originUser, password: environment.originPassword },
    { user: configuration?.originUser },
  ];
  return {
    routeFor: (url) => resolveRoute(url, inputs),
    identityFor: (proxy) => findIdentity(withProxyUrl(named, proxy)),
    userFor: (proxy) => withProxyUrl(named, proxy).find(({ user }) => user)?.user ?? null,
    originIdentity: findIdentity(namedForOrigins),
    originUser: namedForOrigins.find(({ user }) => user)?.user ?? null,
    isTrustedOrigin: ({ host, port }) =>
      trusted.has(host.toLowerCase()) || trusted.has(targetName({ host, port }).toLowerCase()),
    allow: parseAllowed(words(options.auth) ?? environment.auth ?? configuration?.auth),
    negotiateForm: parseForm(options.negotiateForm ?? 'auto'),
    allowBasicHttp:
      options.allowBasicHttp ??
      environment.allowBasicHttp ??
      configuration?.allowBasicHttp ??
      false,
    spn: parseSpn(options.spn ?? environment.spn ?? configuration?.spn),
    secureContext: ca === undefined ? undefined : await trustAlso(ca, env['NODE_EXTRA_CA_CERTS']),
    connectTimeoutMs: duration(options.connectTimeoutMs, DEFAULT_CONNECT_TIMEOUT_MS),
    handshakeTimeoutMs: duration(options.handshakeTimeoutMs, DEFAULT_HANDSHAKE_TIMEOUT_MS),
    idleTimeoutMs: duration(options.idleTimeoutMs, DEFAULT_IDLE_TIMEOUT_MS),
  };
}

/** The words of `SallyportOptions`, and those of `RequestOptions` that come with them in a single use. */
const TEXT_OPTIONS = new Set([
  ...['proxy', 'noProxy', 'user', 'password', 'originUser', 'originPassword', 'ca', 'spn'],
  ...['negotiateForm', 'config'],
]);
const OTHER_OPTIONS = new Set([
  ...['auth', 'trusted', 'allowBasicHttp', 'env', 'connectTimeoutMs', 'handshakeTimeoutMs'],
  ...['idleTimeoutMs', 'signal', 'method', 'headers', 'body'],
]);

/** A mistyped `proxy` must not mean "direct". Values are not shown: one may be a password. */
function checkOptions(options: SallyportOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (TEXT_OPTIONS.has(name)) {
      if (value !== undefined && typeof value !== 'string') {
        throw new SallyportError('OPTION_INVALID', `The option ${name} is not a string`);
      }
    } else if (!OTHER_OPTIONS.has(name)) {
      throw new SallyportError('OPTION_INVALID', `The option ${JSON.stringify(name)} is unknown`, {
        hint: `Known are ${[...TEXT_OPTIONS, ...OTHER_OPTIONS].join(', ')}.`,
      });
    }
  }
}

/** An option outranks the proxy's URL, which outranks what was set for all proxies. */
function withProxyUrl(named: CredentialSource[], { user, password }: ProxyAddress) {
  const [option, ...others] = named;
  return [...(option === undefined ? [] : [option]), { user, password }, ...others];
}

function words(list: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof list === 'string' ? parseWordList(list) : list;
}

function secretOf(password: string | undefined): Secret | undefined {
  return password === undefined ? undefined : new Secret(password);
}

function parseAllowed(names: readonly string[] | undefined): readonly AllowedScheme[] {
  if (names === undefined) {
    return DEFAULT_ALLOWED;
  }
  const found = names.map((name) => {
    const scheme = ALLOWED_SCHEMES.find((known) => known === name.toLowerCase());
    if (scheme === undefined) {
      throw new SallyportError('OPTION_INVALID', `${JSON.stringify(name)} is not a scheme`, {
        hint: `--auth takes ${ALLOWED_SCHEMES.join(', ')}, comma-separated.`,
      });
    }
    return scheme;
  });
  if (found.length === 0) {
    throw new SallyportError('OPTION_INVALID', 'The list of allowed schemes is empty', {
      hint: `--auth takes ${ALLOWED_SCHEMES.join(', ')}, comma-separated.`,
    });
  }
  return [...new Set(found)];
}

function parseForm(form: string): NegotiateForm {
  if (form === 'auto' || form === 'raw' || form === 'spnego') {
    return form;
  }
  throw new SallyportError('OPTION_INVALID', `${JSON.stringify(form)} is no form of Negotiate`, {
    hint: 'It is auto, raw or spnego.',
  });
}

function parseSpn(spn: string | undefined): string | undefined {
  if (spn !== undefined && !/^[^\s/@]+\/[^\s/]+$/.test(spn)) {
    throw new SallyportError('OPTION_INVALID', `${JSON.stringify(spn)} is not a service name`, {
      hint: 'Write it as HTTP/proxy.example.com.',
    });
  }
  return spn;
}

function parseTrusted(names: readonly string[]): ReadonlySet<string> {
  for (const name of names) {
    if (/[/@?#*\s]/.test(name)) {
      throw new SallyportError(
        'OPTION_INVALID',
        `${JSON.stringify(redactUrl(name))} cannot be trusted: it is not host or host:port`,
      );
    }
  }
  return new Set(names.map((name) => name.toLowerCase()));
}

function duration(value: number | undefined, standard: number): number {
  if (value === undefined) {
    return standard;
  }
  if (!(value > 0 && value <= MAX_TIMER_MS)) {
    throw new SallyportError('OPTION_INVALID', 'A timeout is not a number of milliseconds above 0');
  }
  return value;
}
