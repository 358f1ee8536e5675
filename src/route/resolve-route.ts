// Which proxy for this URL, and who said so. Owns the order of the sources; reads neither process nor files:
// `settings/` brings what they say.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { EnvironmentValue, ProxyEnvironment } from '../settings/environment.ts';
import type { SystemProxy } from '../settings/system-proxy.ts';
import type { BypassRule } from './no-proxy.ts';
import { findBypass, parseBypassList } from './no-proxy.ts';
import { parseProxyUrl } from './proxy-url.ts';
import type { Route, RouteSource } from './route.ts';
import { findSystemBypass, systemBypassRules } from './system-bypass.ts';
import { systemNote } from './system-note.ts';

/** Everything that has a say in the route. */
export interface RouteInputs {
  readonly options: { readonly proxy?: string | undefined; readonly noProxy?: string | undefined };
  readonly environment: ProxyEnvironment;
  readonly configuration?:
    | {
        readonly path: string;
        readonly proxy?: string | undefined;
        readonly noProxy?: string | undefined;
      }
    | undefined;
  /** What the operating system knows; `null` and absent alike: nothing. */
  readonly system?: SystemProxy | null | undefined;
}

/** What one source says, not yet understood. */
interface Statement {
  readonly text: string;
  readonly source: RouteSource;
}

/**
 * Finds the route to one target. Strongest first: `--proxy`, `SALLYPORT_PROXY`, the configuration file,
 * HTTPS_PROXY or HTTP_PROXY, ALL_PROXY, the system's settings, direct. The first three may say `direct`.
 *
 * @throws SallyportError URL_INVALID, PROXY_URL_INVALID, NO_PROXY_INVALID
 */
export function resolveRoute(url: URL | string, inputs: RouteInputs): Route {
  const target = parseTarget(url);
  const stated = findProxyStatement(target, inputs);
  if (stated === undefined) {
    return withoutProxy(inputs.system);
  }
  const { text, source } = stated;
  if (saysDirect(stated)) {
    return { kind: 'direct', source };
  }
  const proxy = parseProxyUrl(text, source.name);
  const bypass = findBypassOf(target, source, inputs);
  return bypass === undefined
    ? { kind: 'proxy', proxy, source }
    : { kind: 'direct', source, bypass };
}

/** Where targets of one protocol go: all of them directly, or to the proxy but for some. */
export type ProtocolWay =
  | { readonly kind: 'direct' }
  | {
      readonly kind: 'proxy';
      readonly bypass: readonly BypassRule[];
      /** Whether names without a dot need no proxy. */
      readonly bypassLocal: boolean;
    };

/**
 * What `resolveRoute` says, of all targets of a protocol at once: for whoever has to tell others.
 *
 * @throws SallyportError PROXY_URL_INVALID, NO_PROXY_INVALID
 */
export function resolveWay(protocol: 'http:' | 'https:', inputs: RouteInputs): ProtocolWay {
  const target = new URL(`${protocol}//any.invalid/`);
  const stated = findProxyStatement(target, inputs);
  if (stated === undefined || saysDirect(stated)) {
    return { kind: 'direct' };
  }
  const { source } = stated;
  // It is not told here, but has to be one.
  parseProxyUrl(stated.text, source.name);
  const list = findListStatement(source, inputs);
  const { system } = inputs;
  const ofSystem =
    system && source.kind === 'system' && list?.source.kind !== 'option' ? system : null;
  return {
    kind: 'proxy',
    bypass: [
      ...(list === undefined ? [] : parseBypassList(list.text, list.source)),
      ...(ofSystem === null ? [] : systemBypassRules(ofSystem, protocol)),
    ],
    bypassLocal: ofSystem?.bypassLocal === true,
  };
}

/** Whether there are targets for which no stronger source names a proxy. */
export function mayNeedSystem({ options, environment, configuration }: RouteInputs): boolean {
  const forAll = [
    options.proxy,
    environment.sallyportProxy,
    configuration?.proxy,
    environment.allProxy,
  ];
  const { httpProxy, httpsProxy } = environment;
  return (
    forAll.every((source) => source === undefined) &&
    (httpProxy === undefined || httpsProxy === undefined)
  );
}

/** A word of ours: what is written for other programs has a host of that name. */
function saysDirect({ text, source: { kind } }: Statement): boolean {
  return kind !== 'environment' && kind !== 'system' && text.trim().toLowerCase() === 'direct';
}

function withoutProxy(system: SystemProxy | null | undefined): Route {
  const note = system ? systemNote(system) : undefined;
  return note === undefined || !system
    ? { kind: 'direct', source: { kind: 'default', name: 'default' } }
    : { kind: 'direct', source: fromSystem(system), note };
}

/** No message shows the target: what cannot be parsed cannot be redacted either. */
function parseTarget(url: URL | string): URL {
  if (!URL.canParse(String(url))) {
    throw new SallyportError('URL_INVALID', undefined, {
      hint: 'Write it in full: https://host/path',
    });
  }
  const target = new URL(url);
  if (target.protocol !== 'http:' && target.protocol !== 'https:') {
    throw new SallyportError('URL_INVALID');
  }
  if (target.username !== '' || target.password !== '') {
    throw new SallyportError('URL_INVALID', 'The target has a user name or password in its URL', {
      hint: 'Name the user with --origin-user.',
    });
  }
  return target;
}

function findProxyStatement(target: URL, inputs: RouteInputs): Statement | undefined {
  const { options, environment, configuration } = inputs;
  if (options.proxy !== undefined) {
    return { text: options.proxy, source: { kind: 'option', name: '--proxy' } };
  }
  if (environment.sallyportProxy !== undefined) {
    return fromEnvironment(environment.sallyportProxy, 'sallyport-environment');
  }
  if (configuration?.proxy !== undefined) {
    return fromConfiguration(configuration.proxy, configuration.path, 'proxy');
  }
  const ofScheme = target.protocol === 'https:' ? environment.httpsProxy : environment.httpProxy;
  const found = ofScheme ?? environment.allProxy;
  if (found !== undefined) {
    return fromEnvironment(found, 'environment');
  }
  const system = inputs.system ?? undefined;
  const text = target.protocol === 'https:' ? system?.httpsProxy : system?.httpProxy;
  return system && text !== undefined ? { text, source: fromSystem(system) } : undefined;
}

/** The system's own list belongs to the system's own proxy, beside the list that applies to any. */
function findBypassOf(
  target: URL,
  proxySource: RouteSource,
  inputs: RouteInputs,
): { entry: string; source: RouteSource } | undefined {
  const list = findListStatement(proxySource, inputs);
  const port = target.port === '' ? defaultPort(target) : Number(target.port);
  const rule = list && findBypass(parseBypassList(list.text, list.source), target.hostname, port);
  if (list !== undefined && rule !== undefined) {
    return { entry: rule.entry, source: list.source };
  }
  const { system } = inputs;
  if (!system || proxySource.kind !== 'system' || list?.source.kind === 'option') {
    return undefined;
  }
  const entry = findSystemBypass(system, target, port);
  return entry === undefined ? undefined : { entry, source: proxySource };
}

/** A list from anywhere but the command line does not overrule the proxy of the command line. */
function findListStatement(proxySource: RouteSource, inputs: RouteInputs): Statement | undefined {
  const { options, environment, configuration } = inputs;
  if (options.noProxy !== undefined) {
    return { text: options.noProxy, source: { kind: 'option', name: '--no-proxy' } };
  }
  if (proxySource.kind === 'option') {
    return undefined;
  }
  if (environment.sallyportNoProxy !== undefined) {
    return fromEnvironment(environment.sallyportNoProxy, 'sallyport-environment');
  }
  if (configuration?.noProxy !== undefined) {
    return fromConfiguration(configuration.noProxy, configuration.path, 'noProxy');
  }
  return environment.noProxy && fromEnvironment(environment.noProxy, 'environment');
}

function defaultPort(target: URL): number {
  return target.protocol === 'https:' ? 443 : 80;
}

function fromEnvironment(
  { name, value }: EnvironmentValue,
  kind: 'environment' | 'sallyport-environment',
): Statement {
  return { text: value, source: { kind, name } };
}

function fromSystem({ name }: SystemProxy): RouteSource {
  return { kind: 'system', name };
}

function fromConfiguration(text: string, path: string, key: string): Statement {
  return { text, source: { kind: 'configuration', name: `${path}: ${key}` } };
}
