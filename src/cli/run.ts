// `sallyport run -- CMD ARGS`: a local proxy of its own for one program, which ends with it. Owns the order of things.
import { isatty } from 'node:tty';
import { Command } from 'commander';
import type { Route } from '../route/route.ts';
import { createProxyServer } from '../server/local-proxy.ts';
import {
  childEnvironment,
  innerEnvironment,
  LOOPBACK,
  RUN_VARIABLE,
} from '../settings/child-environment.ts';
import { isJavaProgram } from '../settings/java-options.ts';
import { findStatePlace } from '../settings/state-path.ts';
import { MAX_READY } from '../upstream/ready-connections.ts';
import type { UpstreamSettings } from '../upstream/settings.ts';
import { Upstream } from '../upstream/upstream.ts';
import { authorityBundle } from './authority-bundle.ts';
import type { ProgramEnd } from './child-program.ts';
import { endAs, runProgram } from './child-program.ts';
import { Ended } from './ended.ts';
import type { CommonFlags } from './flags.ts';
import { withRouteOptions, withSignOnOptions } from './flags.ts';
import { untilQuiet } from './linger.ts';
import { narrate, remark } from './narrate.ts';
import { checkOuterRun } from './outer-run.ts';
import type { PortFlags } from './port-flags.ts';
import { portOptions, withPortOptions } from './port-flags.ts';
import { RunFailures } from './run-failures.ts';
import { checkWays } from './serve-reload.ts';
import { settingsFor } from './sign-on-settings.ts';
import { tellForeignProxy } from './tell-foreign-proxy.ts';
import type { WarmFlag } from './warm-flag.ts';
import { warmOption } from './warm-flag.ts';

const EXAMPLES = `
Examples:
  sallyport run -- pip install requests
  sallyport run -- git clone https://example.com/project.git
  sallyport run --user "CORP\\alice" -- npm ci
  sallyport run --linger -- code .   # what it leaves running goes on
  sallyport run   # your shell, until you leave it

The program gets HTTP_PROXY, HTTPS_PROXY and what else tools read, with a token that is good for this run only, and the
certificate authorities of this machine. Its exit code is the exit code; when it fails, what the proxy refused is told
behind it. A run inside a run uses the outer one.`;

/** Where passwords are asked for before the program starts: any https address goes the way most do. */
const USUAL = new URL('https://example.com/');
const BESIDE: Route = { kind: 'direct', source: { kind: 'default', name: 'this machine' } };

interface RunFlags extends CommonFlags, PortFlags, WarmFlag {
  readonly java?: true;
  readonly linger?: true;
}

export function runCommand(): Command {
  const command = new Command('run')
    .description('Run a program whose web traffic goes through the proxy, signed on')
    .argument('[command...]', 'the program and its arguments, behind --; without one, your shell')
    .passThroughOptions()
    .option('--java', 'tell Java, too (done unasked for java, mvn, gradle and their kin)')
    .option('--linger', 'keep the proxy while programs that were left running use it');
  return withPortOptions(withSignOnOptions(withRouteOptions(command)), 'any free port')
    .addOption(warmOption())
    .addHelpText('after', EXAMPLES)
    .action(async (said: readonly string[], flags: RunFlags) => {
      const words = said.length > 0 ? said : [shell()];
      if (said.length === 0) {
        tellHowToLeave();
      }
      throw new Ended(endAs(await runOnce(words, flags)));
    });
}

async function runOnce(words: readonly string[], flags: RunFlags): Promise<ProgramEnd> {
  const outer = process.env[RUN_VARIABLE];
  if (outer !== undefined && outer !== '' && flags.proxy === undefined) {
    await checkOuterRun(outer);
    return await runProgram(words, innerEnvironment(process.env));
  }
  const settings = await settingsFor([USUAL], flags);
  checkWays(settings);
  if (flags.verbose) {
    narrate();
  }
  return await runBehindProxy(words, flags, settings);
}

async function runBehindProxy(
  words: readonly string[],
  flags: RunFlags,
  settings: UpstreamSettings,
): Promise<ProgramEnd> {
  const [command = ''] = words;
  const bundle = await authorityBundle(settings.trust, findStatePlace());
  const routes = { ...settings, routeFor: pastLoopback(settings.routeFor) };
  await using upstream = new Upstream(routes, undefined, { warm: flags.warm ?? MAX_READY });
  const java = flags.java === true || isJavaProgram(command);
  const port = portOptions(flags);
  // Java is told of no token: it would stand in the list of processes.
  const sameUser = port.sameUser === true || java;
  await using proxy = await createProxyServer({ upstream, ...port, sameUser });
  await tellForeignProxy(command);
  const env = childEnvironment({
    proxyUrl: proxy.url,
    base: process.env,
    bundle,
    java,
  });
  using failures = new RunFailures();
  const end = await runProgram(words, env);
  failures.tellAfter(end);
  if (flags.linger) {
    await untilQuiet(proxy);
  }
  return end;
}

/** Some tools, such as pip told by PIP_PROXY, bring to the proxy what NO_PROXY keeps from it. */
function pastLoopback(routeFor: UpstreamSettings['routeFor']): UpstreamSettings['routeFor'] {
  return (url) =>
    LOOPBACK.includes(url.hostname.replace(/^\[|\]$/g, '')) ? BESIDE : routeFor(url);
}

function tellHowToLeave(): void {
  if (isatty(0) && isatty(2)) {
    remark('what you start in this shell goes through the proxy; exit leaves it');
  }
}

function shell(): string {
  return process.platform === 'win32'
    ? (process.env['ComSpec'] ?? 'cmd.exe')
    : (process.env['SHELL'] ?? '/bin/sh');
}
