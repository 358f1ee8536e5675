// Everything an upstream is told: options of the caller, then SALLYPORT_* and the environment, then the configuration
// file. Owns the merging and the defaults (docs/defaults.md).
import type { CredentialSource, Identity } from '../auth/credentials.ts';
import { findIdentity, parseIdentity, SYSTEM_IDENTITY } from '../auth/credentials.ts';
import type { AllowedScheme, NegotiateForm } from '../auth/mechanisms.ts';
import type { SignOnRule } from '../auth/sign-on-rules.ts';
import { signOnRule } from '../auth/sign-on-rules.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { publishChoice } from '../observe/events.ts';
import { Secret } from '../observe/secret.ts';
import { rememberRoutes } from '../route/remembered-routes.ts';
import type { ProtocolWay } from '../route/resolve-route.ts';
import { mayNeedSystem, resolveRoute, resolveWay } from '../route/resolve-route.ts';
import type { ProxyAddress, Route, RouteSource } from '../route/route.ts';
import { formatProxyUrl } from '../route/route.ts';
import { readConfiguration } from '../settings/config-file.ts';
import { readEnvironment } from '../settings/environment.ts';
import { listKeyring, readKeyring } from '../settings/keyring.ts';
import { readSystemProxy } from '../settings/system-proxy.ts';
import { readTrustedProxies } from '../settings/trusted-proxies.ts';
import { parseWordList } from '../settings/word-list.ts';
import type { Trust } from './certificate-authorities.ts';
import { trustOf } from './certificate-authorities.ts';
import type { SpnCanonical } from './stated-values.ts';
import {
  checkUserNames,
  parseAllowed,
  parseForm,
  parseHosts,
  parseSpn,
  parseSpnCanonical,
  strongest,
} from './stated-values.ts';
import type { Target } from './target.ts';
import { targetName } from './target.ts';

/** What a caller may say. Everything is optional; the same words as on the command line. */
export interface SallyportOptions {
  /** `http://host:port`, `https://host:port`, or `direct`. */
  readonly proxy?: string;
  /** Hosts that need no proxy, comma-separated. */
  readonly noProxy?: string;
  /** Whether the proxy settings of the operating system count. Default `true`, and `false` where `env` is given. */
  readonly systemProxy?: boolean;
  /** Allowed schemes in order of preference: `negotiate`, `ntlm`, `digest`, `basic`. Default: all but `basic`. */
  readonly auth?: string | readonly string[];
  /** `DOMAIN\name`, `name@domain` or `name`. Without one, the signed-in user signs on. */
  readonly user?: string;
  readonly password?: string;
  /** Credentials for origins in `trusted`. */
  readonly originUser?: string;
  readonly originPassword?: string;
  /** Whether the operating system's own sign-on may be used where no name is given. Default `true`. */
  readonly systemSignOn?: boolean;
  /** Whether NTLM may be used; `false` leaves Kerberos, and Basic where it is allowed. Default `true`. */
  readonly allowNtlm?: boolean;
  /** Origins whose 401 may be answered: `host` or `host:port`. None by default. */
  readonly trusted?: string | readonly string[];
  /** Proxies that get the user's own sign-on whoever named them: `host` or `host:port`. */
  readonly trustedProxies?: string | readonly string[];
  /** Origins among the trusted ones that may act as the user elsewhere (Kerberos delegation). */
  readonly delegate?: string | readonly string[];
  /** Hosts that never get a sign-on: `host` or `host:port`. */
  readonly noAuth?: string | readonly string[];
  /** A PEM file of certificate authorities to trust besides Node's and the operating system's. */
  readonly ca?: string;
  /** Whether the certificate authorities of the operating system are trusted. Default `true`. */
  readonly systemCa?: boolean;
  /** The service name of the proxy instead of `HTTP/host`. */
  readonly spn?: string;
  /**
   * Whether the host's canonical name may make the service name: `auto` when the domain does not know the
   * typed one and both lie in one registrable domain, `always`, or `never`. Default `auto`.
   */
  readonly spnCanonical?: SpnCanonical;
  /** Another security library than the system's usual one: a path, or a name the loader knows. */
  readonly securityLibrary?: string;
  /** Basic over an unencrypted connection to the proxy: the password can be read on the way. */
  readonly allowBasicHttp?: boolean;
  /** What goes out under Negotiate: `auto` (Kerberos, then NTLM raw, then in SPNEGO), or NTLM only: `raw`, `spnego`. */
  readonly negotiateForm?: NegotiateForm;
  /** A configuration file instead of the user's own. */
  readonly config?: string;
  /** For TCP, and once more for TLS. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** For the answer to each leg of a sign-on but the last. Default 30,000. */
  readonly handshakeTimeoutMs?: number;
  /** For silence at any other time. Default 120,000. */
  readonly idleTimeoutMs?: number;
  /** Connections that `createUpstream` signs on ahead for CONNECT, at most, for each proxy: 0 to 64. Default 0, none. */
  readonly warm?: number;
  /** The environment to read; default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
}

/** The same, merged, checked and ready to be asked. */
export interface UpstreamSettings {
  routeFor(url: URL): Route;
  /** The same of all targets of a protocol, for a PAC file. */
  wayFor(protocol: 'http:' | 'https:'): ProtocolWay;
  /** Who signs on to this proxy, the keyring asked as well; `null` when the password of a given name is missing. */
  identityFor(proxy: ProxyAddress): Promise<Identity | null>;
  /** What may go to this proxy, and why. */
  ruleFor(proxy: ProxyAddress, namedBy: RouteSource): SignOnRule;
  /** The name alone. */
  userFor(proxy: ProxyAddress): string | null;
  isTrustedOrigin(origin: Target): boolean;
  mayDelegateTo(origin: Target): boolean;
  getsNoSignOn(origin: Target): boolean;
  readonly originIdentity: Identity | null;
  readonly originUser: string | null;
  readonly allow: readonly AllowedScheme[];
  readonly negotiateForm: NegotiateForm;
  readonly allowBasicHttp: boolean;
  readonly allowNtlm: boolean;
  readonly spn: string | undefined;
  readonly spnCanonical: SpnCanonical;
  readonly securityLibrary: string | undefined;
  readonly trust: Trust;
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** What may be said in three places, and needs no check beyond its type. */
type Switch =
  | 'allowBasicHttp'
  | 'allowNtlm'
  | 'ca'
  | 'securityLibrary'
  | 'systemCa'
  | 'systemProxy'
  | 'systemSignOn';

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
  const said = <Name extends Switch>(name: Name) =>
    options[name] ?? environment[name] ?? configuration?.[name];
  const stated = { options, environment: environment.proxies, configuration };
  const systemProxy = said('systemProxy') ?? options.env === undefined;
  const system = systemProxy && mayNeedSystem(stated) ? await readSystemProxy({ env }) : null;
  const inputs = { ...stated, system };
  const places = { options, environment, configuration };
  checkUserNames(places);
  const hosts = (name: 'trusted' | 'noAuth' | 'delegate') => parseHosts(strongest(name, places));
  const [trusted, noAuth, delegate] = [hosts('trusted'), hosts('noAuth'), hosts('delegate')];
  const pinned = parseHosts(
    { words: words(options.trustedProxies) ?? [], place: 'trustedProxies' },
    {
      words: configuration?.trustedProxies ?? [],
      place: `${configuration?.path}: trustedProxies`,
    },
    { words: await readTrustedProxies(env), place: 'trusted-proxies.json' },
  );
  const loggedIn = new Set(await listKeyring({ env }));
  const systemSignOn = said('systemSignOn') ?? true;
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
  checkNamed('originPassword', options.originPassword, namedForOrigins);
  return {
    routeFor: rememberRoutes((url) => resolveRoute(url, inputs)),
    wayFor: (protocol) => resolveWay(protocol, inputs),
    identityFor: oncePerProxy(async (proxy) => {
      const sources = withProxyUrl(named, proxy);
      checkNamed('password', options.password, sources);
      return (
        findIdentity(sources) ??
        (await fromKeyring(proxy, sources, env)) ??
        systemOf(sources, systemSignOn)
      );
    }),
    ruleFor: ({ host, port }, source) =>
      signOnRule({
        host,
        port,
        namedBy: source.kind,
        sourceName: source.name,
        pinned,
        noAuth,
        loggedIn,
        homeDomains: [],
        isAtHome: false,
      }),
    userFor: (proxy) => withProxyUrl(named, proxy).find(({ user }) => user)?.user ?? null,
    originIdentity: findIdentity(namedForOrigins) ?? systemOf(namedForOrigins, systemSignOn),
    originUser: namedForOrigins.find(({ user }) => user)?.user ?? null,
    isTrustedOrigin: (origin) => isListed(trusted, origin),
    mayDelegateTo: (origin) => isListed(delegate, origin),
    getsNoSignOn: (origin) => isListed(noAuth, origin),
    allow: parseAllowed(strongest('auth', places)),
    negotiateForm: parseForm(options.negotiateForm ?? 'auto'),
    allowBasicHttp: said('allowBasicHttp') ?? false,
    allowNtlm: said('allowNtlm') ?? true,
    spnCanonical: parseSpnCanonical(strongest('spnCanonical', places)),
    securityLibrary: said('securityLibrary'),
    spn: parseSpn(strongest('spn', places)),
    trust: await trustOf({
      ca: said('ca'),
      systemCa: said('systemCa') ?? true,
      env,
    }),
    connectTimeoutMs: duration(
      'connectTimeoutMs',
      options.connectTimeoutMs,
      DEFAULT_CONNECT_TIMEOUT_MS,
    ),
    handshakeTimeoutMs: duration(
      'handshakeTimeoutMs',
      options.handshakeTimeoutMs,
      DEFAULT_HANDSHAKE_TIMEOUT_MS,
    ),
    idleTimeoutMs: duration('idleTimeoutMs', options.idleTimeoutMs, DEFAULT_IDLE_TIMEOUT_MS),
  };
}

/** The words of `SallyportOptions`, and those of `RequestOptions` that come with them in a single use. */
const TEXT_OPTIONS = new Set([
  ...['proxy', 'noProxy', 'user', 'password', 'originUser', 'originPassword', 'ca', 'spn'],
  ...['negotiateForm', 'config', 'spnCanonical', 'securityLibrary'],
]);
const OTHER_OPTIONS = new Set([
  ...['auth', 'trusted', 'allowBasicHttp', 'env', 'connectTimeoutMs', 'handshakeTimeoutMs'],
  ...[
    'idleTimeoutMs',
    'warm',
    'signal',
    'tie',
    'via',
    'forwardedPath',
    'method',
    'headers',
    'body',
    'systemSignOn',
    'allowNtlm',
  ],
  ...['systemProxy', 'systemCa'],
  ...['trustedProxies', 'delegate', 'noAuth'],
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

/** Else the signed-in user would sign on instead, which was not meant. */
function checkNamed(
  option: 'password' | 'originPassword',
  password: string | undefined,
  sources: readonly CredentialSource[],
): void {
  if (password !== undefined && sources.every(({ user }) => !user)) {
    const [whom, hint] =
      option === 'password'
        ? ['the proxy', 'Name the user with --user (option user).']
        : ['web servers', 'Name the user with --origin-user (option originUser).'];
    throw new SallyportError(
      'OPTION_INVALID',
      `A password for ${whom} is given, but nobody is named`,
      { hint },
    );
  }
}

/** A keyring may ask its user: not for every request. */
function oncePerProxy(
  find: (proxy: ProxyAddress) => Promise<Identity | null>,
): (proxy: ProxyAddress) => Promise<Identity | null> {
  const found = new Map<string, Promise<Identity | null>>();
  return (proxy) => {
    const key = `${formatProxyUrl(proxy)} ${proxy.user ?? ''}`;
    const identity = found.get(key) ?? find(proxy);
    found.set(key, identity);
    return identity;
  };
}

/** What `sallyport login` stored for this proxy, unless somebody else is named. */
async function fromKeyring(
  proxy: ProxyAddress,
  sources: readonly CredentialSource[],
  env: NodeJS.ProcessEnv,
): Promise<Identity | null> {
  const host = targetName(proxy);
  const onFailure = ({ message }: SallyportError): void =>
    publishChoice({ layer: 'proxy', host, chosen: null, reason: message });
  const stored = await readKeyring(formatProxyUrl(proxy), { env, onFailure });
  const typed = sources.find(({ user }) => user)?.user;
  return stored === null || (typed !== undefined && typed !== stored.user)
    ? null
    : parseIdentity(stored.user, stored.password);
}

/** A name wants its password; only where none is given, the signed-in user signs on. */
function systemOf(sources: readonly CredentialSource[], systemSignOn: boolean): Identity | null {
  return sources.some(({ user }) => user) || !systemSignOn ? null : SYSTEM_IDENTITY;
}

function isListed(list: ReadonlySet<string>, { host, port }: Target): boolean {
  return (
    list.size > 0 &&
    (list.has(host.toLowerCase()) || list.has(targetName({ host, port }).toLowerCase()))
  );
}

function words(list: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof list === 'string' ? parseWordList(list) : list;
}

function secretOf(password: string | undefined): Secret | undefined {
  return password === undefined ? undefined : new Secret(password);
}

function duration(name: string, value: number | undefined, standard: number): number {
  if (value === undefined) {
    return standard;
  }
  if (!(value > 0 && value <= MAX_TIMER_MS)) {
    throw new SallyportError('OPTION_INVALID', `${name} is not a number of milliseconds above 0`);
  }
  return value;
}
