// `sallyport which URL`: the route to a URL and who named it. Asks no network.
import { Command } from 'commander';
import { resolveSettings } from '../upstream/settings.ts';
import { describeRoute, routeJson } from './describe-route.ts';
import type { CommonFlags } from './flags.ts';
import { toOptions, withRouteOptions } from './flags.ts';
import { print } from './print.ts';
import { parseAddress } from './web-address.ts';

const EXAMPLES = `
Examples:
  sallyport which https://example.com/
  sallyport which --json https://example.com/

Sources, strongest first: --proxy, SALLYPORT_PROXY, configuration file, HTTPS_PROXY / HTTP_PROXY / ALL_PROXY,
the settings of the operating system, direct.`;

export function whichCommand(): Command {
  const command = new Command('which')
    .description('Show which proxy a URL goes through, and why')
    .argument('<url>', 'http:// or https:// address');
  return withRouteOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (address: string, flags: CommonFlags) => {
      const url = parseAddress(address);
      const route = (await resolveSettings(toOptions(flags))).routeFor(url);
      const text = flags.json ? JSON.stringify(routeJson(route)) : describeRoute(route);
      await print(`${text}\n`);
    });
}
