// `sallyport retry URL`: credentials that were refused on the way to this URL may be sent again. Owns the words about it;
// sends nothing.
import { Command } from 'commander';
import { forgetRefusals } from '../auth/logons/forget-refusals.ts';
import { realmOf } from '../auth/logons/logon-realm.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { formatProxyUrl } from '../route/route.ts';
import { resolveSettings } from '../upstream/settings.ts';
import { targetOf } from '../upstream/target.ts';
import { describeRoute, routeJson } from './describe-route.ts';
import type { CommonFlags } from './flags.ts';
import { toOptions, withRouteOptions } from './flags.ts';
import { print } from './print.ts';
import { printable } from './printable.ts';
import { parseAddress } from './web-address.ts';

const EXAMPLES = `
Examples:
  sallyport retry https://example.com/
  sallyport retry --proxy http://proxy.corp.example:3128 https://example.com/

Credentials that were refused once are not sent again, by no process of yours, until they change. After an account was
unlocked, or a forbidden address was allowed, this command makes Sallyport forget the refusal.`;

export function retryCommand(): Command {
  const command = new Command('retry')
    .description('Let refused credentials be sent again for a URL')
    .argument('<url>', 'http:// or https:// address');
  return withRouteOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((address: string, flags: CommonFlags) => retry(address, flags));
}

async function retry(address: string, flags: CommonFlags): Promise<void> {
  const url = parseAddress(address);
  const route = (await resolveSettings(toOptions(flags))).routeFor(url);
  const hosts = [...(route.kind === 'proxy' ? [route.proxy.host] : []), targetOf(url).host];
  const realms = [...new Set(hosts.map((host) => realmOf(host)))];
  const { forgotten, accounts } = await forget(realms);
  if (flags.json) {
    const summary = { ok: true, route: routeJson(route), realms, forgotten, accounts };
    await print(`${JSON.stringify(summary)}\n`);
    return;
  }
  const where = route.kind === 'proxy' ? formatProxyUrl(route.proxy) : describeRoute(route);
  const what =
    forgotten === 0
      ? 'No refusal was remembered'
      : `Forgotten: the refusal of ${accounts.join(', ')}`;
  await print(`${printable(`${what} (${where}; ${realms.join(', ')})`)}\n`);
}

function forget(realms: readonly string[]): ReturnType<typeof forgetRefusals> {
  return forgetRefusals(realms).catch((cause: Error) => {
    throw new SallyportError(
      'OUTPUT_FAILED',
      `The memory of refused credentials cannot be changed: ${cause.message}`,
      { cause, hint: 'Remove the file, or set SALLYPORT_STATE_DIR to a folder of your own.' },
    );
  });
}
