// The proxy settings of macOS, as `scutil --proxy` tells them: those of the network in use. Owns its text form.
import { isIPv6 } from 'node:net';
import type { SystemProxy } from './proxy-settings.ts';
import type { RunCommand } from './run-command.ts';

const NAME = 'macOS settings';

export async function readMacosProxy(
  env: NodeJS.ProcessEnv,
  run: RunCommand,
  timeoutMs: number,
): Promise<SystemProxy | null> {
  const answer = await run('/usr/sbin/scutil', ['--proxy'], env, timeoutMs);
  return 'problem' in answer
    ? { name: NAME, problem: answer.problem }
    : parseMacosProxy(answer.output);
}

/**
 * Reads the output of `scutil --proxy`.
 *
 * @returns `null` when nothing in it is switched on
 */
export function parseMacosProxy(output: string): SystemProxy | null {
  const { values, exceptions } = parseDictionary(output);
  const isOn = (key: string): boolean => values.get(key) === '1';
  const proxyOf = (kind: 'HTTP' | 'HTTPS' | 'SOCKS'): string | undefined => {
    const host = values.get(`${kind}Proxy`);
    return isOn(`${kind}Enable`) && host ? hostAndPort(host, values.get(`${kind}Port`)) : undefined;
  };
  const [httpProxy, httpsProxy] = [proxyOf('HTTP'), proxyOf('HTTPS')];
  const pacUrl = isOn('ProxyAutoConfigEnable') ? values.get('ProxyAutoConfigURLString') : undefined;
  const autoDetect = isOn('ProxyAutoDiscoveryEnable');
  const hasProxy = httpProxy !== undefined || httpsProxy !== undefined;
  const socksOnly = !hasProxy && proxyOf('SOCKS') !== undefined;
  if (!hasProxy && pacUrl === undefined && !autoDetect && !socksOnly) {
    return null;
  }
  return {
    name: NAME,
    httpProxy,
    httpsProxy,
    bypass: exceptions,
    bypassDialect: 'patterns',
    bypassLocal: isOn('ExcludeSimpleHostnames'),
    pacUrl,
    autoDetect,
    ...(socksOnly ? { problem: 'they name a SOCKS proxy only' } : {}),
  };
}

/** The outer dictionary only: `__SCOPED__` holds others, of networks that are not in use. */
function parseDictionary(output: string): { values: Map<string, string>; exceptions: string[] } {
  const values = new Map<string, string>();
  const exceptions: string[] = [];
  const open: string[] = [];
  for (const line of output.split('\n').map((text) => text.trim())) {
    const [, key = '', value = ''] = /^(\S+) : (.*)$/.exec(line) ?? [];
    if (line.endsWith('{')) {
      open.push(key);
    } else if (line === '}') {
      open.pop();
    } else if (open.length === 1) {
      values.set(key, value);
    } else if (open.length === 2 && open[1] === 'ExceptionsList') {
      exceptions.push(value);
    }
  }
  return { values, exceptions };
}

function hostAndPort(host: string, port: string | undefined): string {
  const bracketed = isIPv6(host) ? `[${host}]` : host;
  return port === undefined || port === '0' ? bracketed : `${bracketed}:${port}`;
}
