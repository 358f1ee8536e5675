// `sallyport trust HOST`: a proxy gets the user's own sign-on whoever named it. Owns the command and the form in which
// hosts are kept; what trusting allows is `auth/sign-on-rules.ts`'s.
import { Command } from 'commander';
import { SallyportError } from '../errors/sallyport-error.ts';
import { normalizeHost, parsePort } from '../route/host.ts';
import { parseProxyUrl } from '../route/proxy-url.ts';
import { readConfiguration } from '../settings/config-file.ts';
import { readEnvironment } from '../settings/environment.ts';
import { readTrustedProxies, writeTrustedProxies } from '../settings/trusted-proxies.ts';
import { targetName } from '../upstream/target.ts';
import { print } from './print.ts';
import { printable } from './printable.ts';

interface TrustFlags {
  readonly list?: true;
  readonly remove?: string;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  sallyport trust proxy.corp.example   # whatever its port
  sallyport trust proxy.corp.example:3128   # this port only
  sallyport trust --list
  sallyport trust --remove proxy.corp.example

What it means: a proxy that you or your environment name gets your sign-on anyway. One that a PAC file names gets it only
when it lies in the domain of this machine, and one that the network announced (WPAD) only by Kerberos: anybody on that
network could have put it there, and could use an NTLM answer elsewhere or guess the password from it. A trusted proxy gets
both, and passwords too, whoever named it. Trust a host only when you know who runs it.`;

export function trustCommand(): Command {
  return new Command('trust')
    .description(
      'Let a proxy have your own sign-on even if only a PAC file or the network named it',
    )
    .argument('[host]', 'host or host:port of the proxy')
    .option('--list', 'show the trusted proxies')
    .option('--remove <host>', 'trust this proxy no longer')
    .option('--json', 'machine-readable result on standard output')
    .addHelpText('after', EXAMPLES)
    .action((host: string | undefined, flags: TrustFlags) => trust(host, flags));
}

async function trust(host: string | undefined, flags: TrustFlags): Promise<void> {
  const wishes = [host, flags.list, flags.remove].filter((wish) => wish !== undefined);
  if (wishes.length !== 1) {
    throw new SallyportError('USAGE', 'trust takes either a host, or --list, or --remove HOST');
  }
  const trusted = await readTrustedProxies();
  if (flags.list) {
    await list(trusted, flags);
  } else if (flags.remove !== undefined) {
    await remove(parseTrustedHost(flags.remove), trusted, flags);
  } else {
    await add(parseTrustedHost(host ?? ''), trusted, flags);
  }
}

async function add(host: string, trusted: readonly string[], flags: TrustFlags): Promise<void> {
  const path = await writeTrustedProxies([...trusted, host]);
  const text = [
    `${host} is trusted now: it gets your own sign-on, by Kerberos or NTLM, and passwords, whoever names it as a proxy.`,
    `Kept in ${path}; sallyport trust --remove ${host} ends it.`,
  ];
  await tell(flags, text.join('\n'), { trusted: host, path });
}

async function remove(host: string, trusted: readonly string[], flags: TrustFlags): Promise<void> {
  const isListed = trusted.includes(host);
  if (isListed) {
    await writeTrustedProxies(trusted.filter((one) => one !== host));
  }
  const others = trusted.filter((one) => one.startsWith(`${host}:`));
  const text = isListed ? `${host} is trusted no longer.` : `${host} was not in the list.`;
  const still = others.length === 0 ? '' : ` Still trusted: ${others.join(', ')}.`;
  await tell(flags, text + still, { removed: isListed ? host : null });
}

/** Both places count: what this command keeps, and `trustedProxies` of the configuration file. */
async function list(trusted: readonly string[], flags: TrustFlags): Promise<void> {
  const configuration = await readConfiguration(readEnvironment().config);
  const configured = configuration?.trustedProxies ?? [];
  const lines = [...trusted, ...configured.map((host) => `${host} (${configuration?.path})`)];
  const text = lines.length === 0 ? 'No proxy is trusted.' : lines.join('\n');
  await tell(flags, text, { trusted, configured });
}

/**
 * `host`, `host:port` or the URL of a proxy, in the form proxies are compared in: lower case, IPv6 in brackets before
 * a port only.
 *
 * @throws SallyportError USAGE, PROXY_URL_INVALID
 */
export function parseTrustedHost(text: string): string {
  if (text.includes('@')) {
    throw notOneHost('What is to be trusted has an @ in it');
  }
  if (text.includes('://')) {
    return targetName(parseProxyUrl(text, 'the argument'));
  }
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text);
  // What follows a slash, domainToASCII() of Node 20 drops.
  const isOther = /[/?#\\]/.test(text);
  const host = isOther ? undefined : normalizeHost(match?.[1] ?? match?.[2] ?? text);
  const port = match?.[3] === undefined ? null : parsePort(match[3]);
  if (host === undefined || port === undefined) {
    throw notOneHost(`${JSON.stringify(text)} is neither host nor host:port`);
  }
  return port === null ? host : targetName({ host, port });
}

function notOneHost(detail: string): SallyportError {
  return new SallyportError('USAGE', detail, {
    hint: 'Name one proxy, as proxy.corp.example or proxy.corp.example:3128; patterns are not taken.',
  });
}

function tell({ json }: TrustFlags, text: string, summary: Record<string, unknown>): Promise<void> {
  const lines = text.split('\n').map(printable).join('\n');
  return print(json ? `${JSON.stringify({ ok: true, ...summary })}\n` : `${lines}\n`);
}
