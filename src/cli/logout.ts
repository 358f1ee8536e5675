// `sallyport logout`: removes what `sallyport login` stored. Owns the command; asks no network.
import { Command } from 'commander';
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import { formatProxyUrl } from '../route/route.ts';
import { deleteKeyring, listKeyring } from '../settings/keyring.ts';
import { resolveSettings } from '../upstream/settings.ts';
import { chooseProxy } from './chosen-proxy.ts';
import type { CommonFlags } from './flags.ts';
import { toOptions, withRouteOptions } from './flags.ts';
import { print } from './print.ts';
import { printable } from './printable.ts';

interface LogoutFlags extends CommonFlags {
  readonly all?: true;
}

const EXAMPLES = `
Examples:
  sallyport logout   # for the proxy of this network
  sallyport logout --proxy http://proxy.corp.example:3128
  sallyport logout https://example.com/   # for the proxy of this page
  sallyport logout --all`;

export function logoutCommand(): Command {
  const command = new Command('logout')
    .description('Remove the password of a proxy from the keyring of the operating system')
    .argument('[url]', 'a page whose proxy is meant; default the proxy of this network')
    .option('--all', 'remove the passwords of all proxies');
  return withRouteOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((address: string | undefined, flags: LogoutFlags) => logout(address, flags));
}

async function logout(address: string | undefined, flags: LogoutFlags): Promise<void> {
  if (flags.all && (address !== undefined || flags.proxy !== undefined)) {
    throw new SallyportError('USAGE', '--all means every proxy, so none is named beside it');
  }
  const proxies = flags.all ? await listKeyring() : [await chosen(address, flags)];
  const removed: string[] = [];
  for (const proxy of proxies) {
    if (await deleteKeyring(proxy)) {
      removed.push(proxy);
    }
  }
  if (flags.json) {
    await print(`${JSON.stringify({ ok: true, removed })}\n`);
    return;
  }
  const lines =
    removed.length === 0
      ? [`Nothing was stored${flags.all ? '' : ` for ${proxies[0]}`}.`]
      : removed.map((proxy) => `The password for ${proxy} is removed.`);
  await print(`${lines.map(printable).join('\n')}\n`);
}

/** Whoever has left the network still finds what to name. */
async function chosen(address: string | undefined, flags: LogoutFlags): Promise<string> {
  const settings = await resolveSettings(toOptions(flags));
  try {
    return formatProxyUrl(chooseProxy(address, settings).proxy);
  } catch (error) {
    const stored = await listKeyring();
    if (!isSallyportError(error) || error.code !== 'USAGE' || stored.length === 0) {
      throw error;
    }
    throw withStored(error, stored);
  }
}

function withStored(error: SallyportError, stored: readonly string[]): SallyportError {
  return new SallyportError('USAGE', error.message, {
    cause: error,
    hint: `A password is stored for ${stored.join(', ')}: name one with --proxy, or say --all.`,
  });
}
