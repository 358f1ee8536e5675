// `sallyport login`: a name and a password for one proxy go into the keyring of the operating system, once the proxy has
// accepted them. Owns the order: is there a keyring, who, the password, one sign-on, then the keyring.
import { Command } from 'commander';
import type { SchemeName } from '../auth/session.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { Secret } from '../observe/secret.ts';
import type { ProxyAddress } from '../route/route.ts';
import { formatProxyUrl } from '../route/route.ts';
import { checkKeyring, writeKeyring } from '../settings/keyring.ts';
import type { UpstreamSettings } from '../upstream/settings.ts';
import { resolveSettings } from '../upstream/settings.ts';
import { targetOf } from '../upstream/target.ts';
import { Upstream } from '../upstream/upstream.ts';
import { chooseProxy } from './chosen-proxy.ts';
import { EXIT_CODES_HELP } from './exit-codes.ts';
import type { CommonFlags } from './flags.ts';
import {
  toOptions,
  withConnectionOptions,
  withProxySignOnOptions,
  withRouteOptions,
} from './flags.ts';
import { narrate, tellMemoryFault } from './narrate.ts';
import { canPrompt, promptHidden, readLines, standardInput } from './password.ts';
import { print } from './print.ts';
import { printable } from './printable.ts';

const EXAMPLES = `
Examples:
  sallyport login --user "CORP\\alice"   # for the proxy of this network
  sallyport login --user "CORP\\alice" --proxy http://proxy.corp.example:3128
  sallyport login --user "CORP\\alice" https://example.com/   # for the proxy of this page
  sallyport login --user "CORP\\alice" --password-stdin < password.txt

The password is sent to the proxy once, and stored only when it is accepted. Without a page, a host that does not exist
is asked for, so that nobody is reached. Where the operating system signs on by itself, no login is needed.
`;

/** What the proxy said to the credentials. */
interface Verdict {
  /** `null` when it asked for none. */
  readonly scheme: SchemeName | null;
  readonly status: number;
}

export function loginCommand(): Command {
  const command = new Command('login')
    .description('Keep a name and a password for a proxy in the keyring of the operating system')
    .argument('[url]', 'a page whose proxy is meant; default the proxy of this network');
  withConnectionOptions(withProxySignOnOptions(withRouteOptions(command)));
  const user = command.options.find(({ long }) => long === '--user');
  if (user !== undefined) {
    user.description = 'whose password it is: DOMAIN\\name, name@domain or name';
  }
  return command
    .addHelpText('after', EXAMPLES + EXIT_CODES_HELP)
    .action((address: string | undefined, flags: CommonFlags) => login(address, flags));
}

async function login(address: string | undefined, flags: CommonFlags): Promise<void> {
  checkProxyFlag(flags.proxy);
  const options = toOptions(flags);
  const settings = await resolveSettings(options);
  const { url, proxy } = chooseProxy(address, settings);
  const user = nameOf(proxy, options.user, settings);
  if (flags.verbose) {
    narrate();
    await tellMemoryFault();
  }
  await checkKeyring();
  const password = await passwordFor(user, proxy, flags);
  const { scheme, status } = await signOnOnce(
    url,
    await resolveSettings({ ...options, user, password }),
  );
  if (scheme !== null) {
    await writeKeyring(formatProxyUrl(proxy), user, new Secret(password));
  }
  const place = formatProxyUrl(proxy);
  await tell(
    flags,
    scheme === null
      ? `${place} asked for no sign-on (it answered ${status}), so nothing was stored. If it does for a page you know, name that page.`
      : `${place} accepted ${user} by ${scheme}. The password is in the keyring now; sallyport logout removes it.`,
    { proxy: place, user, scheme, stored: scheme !== null },
  );
}

/** What is in argv, everybody on this machine can read. */
function checkProxyFlag(proxy: string | undefined): void {
  if (proxy?.includes('@')) {
    throw new SallyportError('USAGE', 'login takes no name and no password in the URL of --proxy', {
      hint: 'Give the name with --user; the password is asked for, or read from standard input.',
    });
  }
}

function nameOf(
  proxy: ProxyAddress,
  given: string | undefined,
  settings: UpstreamSettings,
): string {
  const user = given ?? settings.userFor(proxy);
  if (user === null) {
    throw new SallyportError('USAGE', `Nobody is named who could sign on to ${proxy.host}`, {
      hint: 'Name the user with --user "DOMAIN\\name".',
    });
  }
  return user;
}

async function passwordFor(user: string, proxy: ProxyAddress, flags: CommonFlags): Promise<string> {
  if (flags.passwordStdin) {
    return passwordFromInput();
  }
  if (!canPrompt()) {
    throw new SallyportError(
      'CREDENTIALS_MISSING',
      'There is no terminal where the password could be asked for',
      { hint: 'Give it on standard input, with --password-stdin.' },
    );
  }
  const answer = await promptHidden(`Password of ${user} for ${formatProxyUrl(proxy)}: `);
  if (answer === null || answer === '') {
    throw new SallyportError('CREDENTIALS_MISSING', 'No password was given at the prompt');
  }
  return answer;
}

async function passwordFromInput(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new SallyportError('USAGE', 'Standard input is a terminal, where a password would show', {
      hint: 'Leave --password-stdin out: the password is then asked for, hidden.',
    });
  }
  const [line = ''] = await readLines(standardInput(), 1);
  return line;
}

/**
 * One sign-on. What the proxy says afterwards about the page is no matter: a 403 or 502 comes from a proxy that has
 * let the user in.
 *
 * @throws SallyportError the refusal of the proxy, or why it cannot be asked
 */
async function signOnOnce(url: URL, settings: UpstreamSettings): Promise<Verdict> {
  await using upstream = new Upstream(settings);
  if (url.protocol === 'http:') {
    // A CONNECT to port 80 is denied by many before they ask who it is.
    const { scheme, status, body } = await upstream.request(url, { method: 'HEAD' });
    body.destroy();
    return { scheme, status };
  }
  const { scheme, status, refusal, socket } = await upstream.connect(targetOf(url));
  socket.on('error', () => undefined).destroy();
  if (refusal !== null || status === 407) {
    throw refusal ?? new SallyportError('PROXY_REFUSED', 'The proxy answered 407 to the sign-on');
  }
  return { scheme, status };
}

function tell(
  { json }: CommonFlags,
  text: string,
  summary: Record<string, unknown>,
): Promise<void> {
  return print(json ? `${JSON.stringify({ ok: true, ...summary })}\n` : `${printable(text)}\n`);
}
