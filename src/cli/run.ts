// `sallyport run -- CMD ARGS`: a local proxy of its own for one program, which ends with it.
import { Command } from 'commander';
import { createProxyServer } from '../server/local-proxy.ts';
import { childEnvironment } from '../settings/child-environment.ts';
import type { UpstreamSettings } from '../upstream/settings.ts';
import { Upstream } from '../upstream/upstream.ts';
import type { ProgramEnd } from './child-program.ts';
import { endAs, runProgram } from './child-program.ts';
import { Ended } from './ended.ts';
import type { CommonFlags } from './flags.ts';
import { withRouteOptions, withSignOnOptions } from './flags.ts';
import { narrate } from './narrate.ts';
import type { PortFlags } from './port-flags.ts';
import { portOptions, withPortOptions } from './port-flags.ts';
import { settingsFor } from './sign-on-settings.ts';

const EXAMPLES = `
Examples:
  sallyport run -- pip install requests
  sallyport run -- git clone https://example.com/project.git
  sallyport run --user "CORP\\alice" -- npm ci
  sallyport run                                 (your shell, until you leave it)

The program gets HTTP_PROXY, HTTPS_PROXY and what else tools read, with a token that is good for this run only. Its exit code
is the exit code.`;

/** Where passwords are asked for before the program starts: any https address goes the way most do. */
const USUAL = new URL('https://example.com/');

export function runCommand(): Command {
  const command = new Command('run')
    .description('Run a program whose web traffic goes through the proxy, signed on')
    .argument('[command...]', 'the program and its arguments, behind --; without one, your shell')
    .passThroughOptions();
  return withPortOptions(withSignOnOptions(withRouteOptions(command)))
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], flags: CommonFlags & PortFlags) => {
      const port = portOptions(flags);
      const settings = await settingsFor([USUAL], flags);
      if (flags.verbose) {
        narrate();
      }
      throw new Ended(endAs(await runBehindProxy(words, settings, port)));
    });
}

async function runBehindProxy(
  words: readonly string[],
  settings: UpstreamSettings,
  port: ReturnType<typeof portOptions>,
): Promise<ProgramEnd> {
  await using upstream = new Upstream(settings);
  await using proxy = await createProxyServer({ upstream, ...port });
  const env = childEnvironment({ proxyUrl: proxy.url, base: process.env });
  return await runProgram(words.length > 0 ? words : [shell()], env);
}

function shell(): string {
  return process.platform === 'win32'
    ? (process.env['ComSpec'] ?? 'cmd.exe')
    : (process.env['SHELL'] ?? '/bin/sh');
}
