// The environment of a program that is to go through the local proxy: every variable some tool reads, and none that holds a
// secret of ours. Owns the names; starts nothing.
import { authorityVariables } from './authority-variables.ts';
import { javaOptions } from './java-options.ts';

export interface ChildEnvironmentInput {
  /** `http://x:TOKEN@127.0.0.1:PORT` */
  readonly proxyUrl: string;
  /** What the child would have got. */
  readonly base: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
  /** A PEM file with every authority that is trusted, for tools that know only their own. */
  readonly bundle?: string | undefined;
  /** Whether Java is told, too: it writes what it was told to standard error. */
  readonly java?: boolean;
}

/** `127.0.0.1:PORT` of the run a program is in. */
export const RUN_VARIABLE = 'SALLYPORT_RUN';

/** What programs reach without a proxy, always. */
export const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** Tools disagree over everything but plain names and `.suffix`, separated by commas. */
const AGREED = /^\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** Read by most programs; curl takes http_proxy in lower case only. */
const PROXY_NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
const ONE_CASE_PROXY_NAMES = [
  // Ours: what runs inside goes the way it was sent, whatever its configuration file says.
  'SALLYPORT_PROXY',
  // npm, and yarn 1, which reads npm's. They outrank .npmrc; HTTPS_PROXY does not.
  'npm_config_proxy',
  'npm_config_https_proxy',
  // yarn 2 and later. It refuses to start with a YARN_ variable it does not know, such as YARN_NO_PROXY.
  'YARN_HTTP_PROXY',
  'YARN_HTTPS_PROXY',
  'GLOBAL_AGENT_HTTP_PROXY',
  'GLOBAL_AGENT_HTTPS_PROXY',
  // Outranks pip.conf; HTTPS_PROXY does not.
  'PIP_PROXY',
  // Outranks http.proxy of cargo's and of git's files.
  'CARGO_HTTP_PROXY',
];
const NO_PROXY_NAMES = ['npm_config_noproxy', 'GLOBAL_AGENT_NO_PROXY'];
const SWITCHES = { NODE_USE_ENV_PROXY: '1', ELECTRON_GET_USE_PROXY: 'true' };

/** Secrets, and the names that want them: who signs on is the outer run's matter. */
const OURS_ALONE = [
  ...['SALLYPORT_PASSWORD', 'SALLYPORT_ORIGIN_PASSWORD'],
  ...['SALLYPORT_USER', 'SALLYPORT_ORIGIN_USER'],
];
const NAMES_A_PROXY = /proxy$/i;
/** Up to the last `@`: a password may hold any character. */
const USER_INFORMATION = /^([a-z][a-z0-9+.-]*:\/\/)?.*@/is;
const GIT_VALUE = 'GIT_CONFIG_VALUE_';
/** `http.proxy`, and that of one server. */
const GIT_PROXY_KEY = /^http\.(?:.*\.)?proxy$/is;

/** A copy of `base` for a program within a run: what it says of proxies leads there already. */
export function innerEnvironment(
  base: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): NodeJS.ProcessEnv {
  return withoutNames(base, OURS_ALONE, platform === 'win32');
}

/** A copy of `base` in which the proxy is the local one. */
export function childEnvironment(input: ChildEnvironmentInput): NodeJS.ProcessEnv {
  const { proxyUrl, base, platform = process.platform } = input;
  const isWindows = platform === 'win32';
  const bothCases = (name: string): string[] => (isWindows ? [name] : [name, name.toLowerCase()]);
  const noProxy = noProxyFor(base);
  const own: NodeJS.ProcessEnv = { [RUN_VARIABLE]: new URL(proxyUrl).host, ...SWITCHES };
  for (const name of [...PROXY_NAMES.flatMap(bothCases), ...ONE_CASE_PROXY_NAMES]) {
    own[name] = proxyUrl;
  }
  for (const name of [...bothCases('NO_PROXY'), ...NO_PROXY_NAMES]) {
    own[name] = noProxy.join(',');
  }
  Object.assign(own, gitConfiguration(base, proxyUrl));
  if (input.bundle !== undefined) {
    Object.assign(own, authorityVariables(base, input.bundle));
  }
  if (input.java === true) {
    const options = javaOptions(proxyUrl, noProxy);
    own['JAVA_TOOL_OPTIONS'] = [base['JAVA_TOOL_OPTIONS'], options].filter(Boolean).join(' ');
  }
  return { ...inherited(base, [...Object.keys(own), ...OURS_ALONE], isWindows), ...own };
}

/** Loopback, and what of the user's list every tool understands; the local proxy knows the whole of it. */
function noProxyFor(base: NodeJS.ProcessEnv): readonly string[] {
  const said = base['no_proxy'] || base['NO_PROXY'] || '';
  const agreed = said.split(/[\s,]+/).filter((entry) => AGREED.test(entry));
  return [...new Set([...LOOPBACK, ...agreed])];
}

/**
 * Beside what the user has put there: `GIT_CONFIG_COUNT` and its pairs (git 2.31), which outrank every file. The last one is
 * written anew where it names a proxy: a shell may be told again and again.
 */
function gitConfiguration(base: NodeJS.ProcessEnv, proxyUrl: string): NodeJS.ProcessEnv {
  const count = Number(base['GIT_CONFIG_COUNT'] || 0);
  if (!Number.isSafeInteger(count) || count < 0) {
    return {};
  }
  const at = base[`GIT_CONFIG_KEY_${count - 1}`] === 'http.proxy' ? count - 1 : count;
  return {
    GIT_CONFIG_COUNT: String(at + 1),
    [`GIT_CONFIG_KEY_${at}`]: 'http.proxy',
    [`GIT_CONFIG_VALUE_${at}`]: proxyUrl,
  };
}

function inherited(
  base: NodeJS.ProcessEnv,
  replaced: readonly string[],
  isWindows: boolean,
): NodeJS.ProcessEnv {
  const kept = Object.entries(withoutNames(base, replaced, isWindows));
  const isProxy = (name: string): boolean =>
    NAMES_A_PROXY.test(name) ||
    (name.startsWith(GIT_VALUE) &&
      GIT_PROXY_KEY.test(base[`GIT_CONFIG_KEY_${name.slice(GIT_VALUE.length)}`] ?? ''));
  return Object.fromEntries(
    kept.map(([name, value]) => [name, isProxy(name) ? withoutSecret(value) : value]),
  );
}

function withoutNames(
  base: NodeJS.ProcessEnv,
  names: readonly string[],
  isWindows: boolean,
): NodeJS.ProcessEnv {
  const dropped = new Set(names.map((name) => folded(name, isWindows)));
  return Object.fromEntries(
    Object.entries(base).filter(([name]) => !dropped.has(folded(name, isWindows))),
  );
}

/** Two spellings of one name would be a toss-up: on Windows any, everywhere those of npm. */
function folded(name: string, isWindows: boolean): string {
  if (/^npm_config_/i.test(name)) {
    return name.toLowerCase().replaceAll('-', '_');
  }
  return isWindows ? name.toUpperCase() : name;
}

/** Names and passwords in front of the `@` of proxies we do not replace, such as FTP_PROXY. */
function withoutSecret(value: string | undefined): string | undefined {
  return value?.replace(USER_INFORMATION, '$1');
}
