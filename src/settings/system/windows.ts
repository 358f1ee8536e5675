// The proxy settings of Windows: machine-wide policy, then those of the user, then those of WinHTTP. Owns that order and
// the syntax of ProxyServer and ProxyOverride; reading them is `native/`'s.
import { errorWord } from '../../errors/error-word.ts';
import { isSallyportError } from '../../errors/sallyport-error.ts';
import { readMachineNumber, readMachineText } from '../../native/registry.ts';
import type { WindowsProxySettings } from '../../native/winhttp.ts';
import { readMachineProxySettings, readUserProxySettings } from '../../native/winhttp.ts';
import type { SystemProxy } from './proxy-settings.ts';

/** Where Windows has them; tests bring their own. */
export interface WindowsSources {
  readNumber(key: string, name: string): number | undefined;
  readText(key: string, name: string): string | undefined;
  readUser(): WindowsProxySettings | undefined;
  readMachine(): WindowsProxySettings | undefined;
}

const SETTINGS_KEY = 'Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings';
const POLICY_KEY = 'Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings';
const REAL_SOURCES: WindowsSources = {
  readNumber: readMachineNumber,
  readText: readMachineText,
  readUser: readUserProxySettings,
  readMachine: readMachineProxySettings,
};

/** Never waits for a network. */
export function readWindowsProxy(sources: WindowsSources = REAL_SOURCES): SystemProxy | null {
  try {
    if (sources.readNumber(POLICY_KEY, 'ProxySettingsPerUser') === 0) {
      return understand('Windows policy settings', readMachineWide(sources));
    }
    const user = understand('Windows settings', sources.readUser());
    if (user !== null && (user.httpProxy ?? user.httpsProxy ?? user.pacUrl) !== undefined) {
      return user;
    }
    // Automatic detection, switched on by default, says less than a proxy the machine names.
    return understand('WinHTTP settings', sources.readMachine()) ?? user;
  } catch (error) {
    const problem = isSallyportError(error) ? error.message : errorWord(error);
    return { name: 'Windows settings', problem };
  }
}

function readMachineWide({ readNumber, readText }: WindowsSources): WindowsProxySettings {
  const isOn = readNumber(SETTINGS_KEY, 'ProxyEnable') === 1;
  return {
    autoDetect: readNumber(SETTINGS_KEY, 'AutoDetect') === 1,
    pacUrl: readText(SETTINGS_KEY, 'AutoConfigURL'),
    proxy: isOn ? readText(SETTINGS_KEY, 'ProxyServer') : undefined,
    bypass: readText(SETTINGS_KEY, 'ProxyOverride'),
  };
}

function understand(name: string, found: WindowsProxySettings | undefined): SystemProxy | null {
  if (found === undefined) {
    return null;
  }
  const { autoDetect, pacUrl } = found;
  const { httpProxy, httpsProxy, socksOnly } = parseProxyServer(found.proxy ?? '');
  const hasProxy = httpProxy !== undefined || httpsProxy !== undefined;
  if (!hasProxy && !autoDetect && pacUrl === undefined && !socksOnly) {
    return null;
  }
  return {
    name,
    httpProxy,
    httpsProxy,
    ...parseProxyOverride(found.bypass ?? ''),
    bypassDialect: 'patterns',
    pacUrl,
    autoDetect,
    ...(socksOnly ? { problem: 'they name a SOCKS proxy only' } : {}),
  };
}

/** `host:port` for everything, or `http=host:port;https=host:port;socks=host:port`. */
export function parseProxyServer(text: string): {
  httpProxy: string | undefined;
  httpsProxy: string | undefined;
  socksOnly: boolean;
} {
  const found = new Map<string, string>();
  for (const entry of words(text)) {
    const [, kind = 'all', proxy = ''] = /^(?:(\w+)=)?(.*)$/.exec(entry) ?? [];
    if (proxy !== '' && !found.has(kind.toLowerCase())) {
      found.set(kind.toLowerCase(), proxy);
    }
  }
  const [httpProxy, httpsProxy] = ['http', 'https'].map(
    (kind) => found.get(kind) ?? found.get('all'),
  );
  const socksOnly = found.has('socks') && httpProxy === undefined && httpsProxy === undefined;
  return { httpProxy, httpsProxy, socksOnly };
}

/** `<local>` is every name without a dot; `<-loopback>` takes back what Sallyport does not do. */
export function parseProxyOverride(text: string): { bypass: string[]; bypassLocal: boolean } {
  const entries = words(text);
  const isWord = (entry: string): boolean => /^<.*>$/.test(entry);
  return {
    bypass: entries.filter((entry) => !isWord(entry)),
    bypassLocal: entries.some((entry) => entry.toLowerCase() === '<local>'),
  };
}

function words(text: string): string[] {
  return text.split(/[\s;,]+/).filter((word) => word !== '');
}
