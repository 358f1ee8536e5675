// The environment variables Sallyport reads. Owns their names and the rule which spelling counts; the meaning
// of a proxy URL or a bypass list is `route/`'s.
import { SallyportError } from '../errors/sallyport-error.ts';
import { Secret } from '../observe/secret.ts';
import { parseWordList } from './word-list.ts';

/** A variable that is set, under the name it was found by (`https_proxy` or `HTTPS_PROXY`). */
export interface EnvironmentValue {
  readonly name: string;
  readonly value: string;
}

/** The variables that say which proxy, as found; an empty one counts as absent. */
export interface ProxyEnvironment {
  readonly sallyportProxy?: EnvironmentValue | undefined;
  readonly sallyportNoProxy?: EnvironmentValue | undefined;
  readonly httpProxy?: EnvironmentValue | undefined;
  readonly httpsProxy?: EnvironmentValue | undefined;
  readonly allProxy?: EnvironmentValue | undefined;
  readonly noProxy?: EnvironmentValue | undefined;
}

/** Everything Sallyport takes from the environment of its process. */
export interface Environment {
  readonly proxies: ProxyEnvironment;
  /** Scheme names in order of preference, not yet checked. */
  readonly auth: readonly string[] | undefined;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly originUser: string | undefined;
  readonly originPassword: Secret | undefined;
  readonly ca: string | undefined;
  /** Goes to `readConfiguration` when no option names a file. */
  readonly config: string | undefined;
  readonly spn: string | undefined;
  readonly allowBasicHttp: boolean | undefined;
  /** Host names, not yet checked. */
  readonly trusted: readonly string[] | undefined;
  readonly delegate: readonly string[] | undefined;
  readonly noAuth: readonly string[] | undefined;
  readonly systemSignOn: boolean | undefined;
  readonly allowNtlm: boolean | undefined;
  readonly spnCanonical: string | undefined;
  readonly securityLibrary: string | undefined;
  readonly systemProxy: boolean | undefined;
  readonly systemCa: boolean | undefined;
}

/**
 * Takes a snapshot of the variables Sallyport reads. White space around a value is dropped, except in passwords:
 * `set X=value && ...` of cmd.exe leaves some. An empty variable counts as absent.
 *
 * @throws SallyportError OPTION_INVALID when a variable that is yes or no is neither
 */
export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const read = (name: string) => findValue(env, [name])?.value;
  return {
    proxies: readProxies(env),
    auth: readList(env, 'SALLYPORT_AUTH'),
    user: read('SALLYPORT_USER'),
    password: readSecret(env, 'SALLYPORT_PASSWORD'),
    originUser: read('SALLYPORT_ORIGIN_USER'),
    originPassword: readSecret(env, 'SALLYPORT_ORIGIN_PASSWORD'),
    ca: read('SALLYPORT_CA'),
    config: read('SALLYPORT_CONFIG'),
    spn: read('SALLYPORT_SPN'),
    allowBasicHttp: readFlag(env, 'SALLYPORT_ALLOW_BASIC_HTTP'),
    trusted: readList(env, 'SALLYPORT_TRUSTED'),
    delegate: readList(env, 'SALLYPORT_DELEGATE'),
    noAuth: readList(env, 'SALLYPORT_NO_AUTH'),
    systemSignOn: readFlag(env, 'SALLYPORT_SYSTEM_SIGN_ON'),
    allowNtlm: readFlag(env, 'SALLYPORT_ALLOW_NTLM'),
    spnCanonical: read('SALLYPORT_SPN_CANONICAL'),
    securityLibrary: read('SALLYPORT_SECURITY_LIBRARY'),
    systemProxy: readFlag(env, 'SALLYPORT_SYSTEM_PROXY'),
    systemCa: readFlag(env, 'SALLYPORT_SYSTEM_CA'),
  };
}

/** The folder for what Sallyport remembers, instead of the platform's own (`state-path.ts`). */
export function readStateFolder(env: NodeJS.ProcessEnv): string | undefined {
  return findValue(env, ['SALLYPORT_STATE_DIR'])?.value;
}

function readProxies(env: NodeJS.ProcessEnv): ProxyEnvironment {
  return {
    sallyportProxy: findValue(env, ['SALLYPORT_PROXY']),
    sallyportNoProxy: findValue(env, ['SALLYPORT_NO_PROXY']),
    httpProxy: findHttpProxy(env),
    httpsProxy: findValue(env, ['https_proxy', 'HTTPS_PROXY']),
    allProxy: findValue(env, ['all_proxy', 'ALL_PROXY']),
    noProxy: findValue(env, ['no_proxy', 'NO_PROXY']),
  };
}

/**
 * A CGI server turns the request header `Proxy` into HTTP_PROXY ("httpoxy", CVE-2016-5385): whoever asks
 * would choose the proxy.
 */
function findHttpProxy(env: NodeJS.ProcessEnv): EnvironmentValue | undefined {
  const found = findValue(env, ['http_proxy', 'HTTP_PROXY']);
  const isCgi = env['REQUEST_METHOD'] !== undefined;
  return isCgi && found?.name !== 'http_proxy' ? undefined : found;
}

function findValue(
  env: NodeJS.ProcessEnv,
  spellings: readonly string[],
): EnvironmentValue | undefined {
  for (const spelling of spellings) {
    const value = env[spelling]?.trim() ?? '';
    if (value !== '') {
      return { name: nameInUse(env, spelling), value };
    }
  }
  return undefined;
}

/** On Windows `process.env` answers to any case; its keys keep the case the variable was set with. */
function nameInUse(env: NodeJS.ProcessEnv, spelling: string): string {
  const names = Object.keys(env);
  if (names.includes(spelling)) {
    return spelling;
  }
  return names.find((name) => name.toLowerCase() === spelling.toLowerCase()) ?? spelling;
}

function readList(env: NodeJS.ProcessEnv, name: string): readonly string[] | undefined {
  const found = findValue(env, [name]);
  return found === undefined ? undefined : parseWordList(found.value);
}

function readSecret(env: NodeJS.ProcessEnv, name: string): Secret | undefined {
  const value = env[name] ?? '';
  return value === '' ? undefined : new Secret(value);
}

function readFlag(env: NodeJS.ProcessEnv, name: string): boolean | undefined {
  const value = findValue(env, [name])?.value.toLowerCase();
  if (value === undefined) {
    return undefined;
  }
  if (value === '1' || value === 'true') {
    return true;
  }
  if (value === '0' || value === 'false') {
    return false;
  }
  throw new SallyportError('OPTION_INVALID', `${name} is neither 1 or true nor 0 or false`);
}
