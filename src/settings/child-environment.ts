// The environment of a program that is to go through the local proxy: every variable some tool reads, and none that holds a
// secret of ours. Owns the names; starts nothing.

export interface ChildEnvironmentInput {
  /** `http://x:TOKEN@127.0.0.1:PORT` */
  readonly proxyUrl: string;
  /** What the child would have got. */
  readonly base: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
}

/** Tools disagree over everything but plain names and `.suffix`, separated by commas. */
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
const AGREED = /^\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** Read by most programs; lower case is what curl takes for http. */
const PROXY_NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
const ONE_CASE_PROXY_NAMES = [
  'npm_config_proxy',
  'npm_config_https_proxy',
  'YARN_HTTP_PROXY',
  'YARN_HTTPS_PROXY',
  'GLOBAL_AGENT_HTTP_PROXY',
  'GLOBAL_AGENT_HTTPS_PROXY',
  'PIP_PROXY',
  'CARGO_HTTP_PROXY',
  'CONDA_PROXY_SERVERS__HTTP',
  'CONDA_PROXY_SERVERS__HTTPS',
];
const NO_PROXY_NAMES = ['npm_config_noproxy', 'GLOBAL_AGENT_NO_PROXY'];
const SECRETS = ['SALLYPORT_PASSWORD', 'SALLYPORT_ORIGIN_PASSWORD'];

/** A copy of `base` in which the proxy is the local one. */
export function childEnvironment(input: ChildEnvironmentInput): NodeJS.ProcessEnv {
  const { proxyUrl, base, platform = process.platform } = input;
  const isWindows = platform === 'win32';
  const bothCases = (name: string): string[] => (isWindows ? [name] : [name, name.toLowerCase()]);
  const noProxy = noProxyFor(base);
  const own: NodeJS.ProcessEnv = {};
  for (const name of [...PROXY_NAMES.flatMap(bothCases), ...ONE_CASE_PROXY_NAMES]) {
    own[name] = proxyUrl;
  }
  for (const name of [...bothCases('NO_PROXY'), ...NO_PROXY_NAMES]) {
    own[name] = noProxy;
  }
  return withoutNames(base, isWindows, [...Object.keys(own), ...SECRETS], {
    ...own,
    NODE_USE_ENV_PROXY: '1',
    ELECTRON_GET_USE_PROXY: '1',
    ...gitConfiguration(base, proxyUrl),
  });
}

/** Loopback, and what of the user's list every tool understands; the local proxy knows the whole of it. */
function noProxyFor(base: NodeJS.ProcessEnv): string {
  const said = base['no_proxy'] ?? base['NO_PROXY'] ?? '';
  const agreed = said.split(/[\s,]+/).filter((entry) => AGREED.test(entry));
  return [...new Set([...LOOPBACK, ...agreed])].join(',');
}

/** Beside what the user has put there: `GIT_CONFIG_COUNT` and its pairs (git 2.31). A `http.proxy` of a file would win. */
function gitConfiguration(base: NodeJS.ProcessEnv, proxyUrl: string): NodeJS.ProcessEnv {
  const count = Number(base['GIT_CONFIG_COUNT'] ?? 0);
  return Number.isSafeInteger(count) && count >= 0
    ? {
        GIT_CONFIG_COUNT: String(count + 1),
        [`GIT_CONFIG_KEY_${count}`]: 'http.proxy',
        [`GIT_CONFIG_VALUE_${count}`]: proxyUrl,
      }
    : {};
}

/** On Windows a name is one whatever its case: two spellings of it would be a toss-up. */
function withoutNames(
  base: NodeJS.ProcessEnv,
  isWindows: boolean,
  names: readonly string[],
  added: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const fold = (name: string): string => (isWindows ? name.toUpperCase() : name);
  const dropped = new Set(names.map(fold));
  const kept = Object.entries(base).filter(([name]) => !dropped.has(fold(name)));
  return { ...Object.fromEntries(kept), ...added };
}
