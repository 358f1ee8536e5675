// `sallyport serve`: the local proxy for a desktop or a build host, until it is stopped. Owns the order of things.
import { isatty } from 'node:tty';
import { Command, Option } from 'commander';
import { processLogonGate } from '../auth/logons/logon-gate.ts';
import { VERSION } from '../observe/version.ts';
import type { ProxyServer } from '../server/local-proxy.ts';
import { startProxyServer } from '../server/local-proxy.ts';
import { announceServer } from '../server/running-server.ts';
import { LOG_FORMATS, LOG_LEVELS, MAX_GRACE_S } from '../settings/serve-configuration.ts';
import { ConfigWatch } from './config-watch.ts';
import { Ended } from './ended.ts';
import { EXIT_OK } from './exit-codes.ts';
import { integer, withRouteOptions, withSignOnOptions } from './flags.ts';
import { remark } from './narrate.ts';
import { withPortOptions } from './port-flags.ts';
import { print } from './print.ts';
import { ServeOutput } from './serve-output.ts';
import { servePages } from './serve-pages.ts';
import { checkWays, ServeReload } from './serve-reload.ts';
import type { ServeFlags } from './serve-settings.ts';
import { serveSettings, USUAL_GRACE_S, USUAL_PORT, watchedFiles } from './serve-settings.ts';
import type { ServeSignals } from './serve-signals.ts';
import { listenToSignals } from './serve-signals.ts';
import { ServeUpstream } from './serve-upstream.ts';
import { lastingSettings } from './sign-on-settings.ts';
import { warmOption } from './warm-flag.ts';

/** Where passwords are asked for before the first program comes. */
const USUAL = new URL('https://example.com/');

const EXAMPLES = `
Examples:
  sallyport serve                               (port ${USUAL_PORT}, for programs of yours)
  sallyport serve --listen 8888 --user "CORP\\alice"
  sallyport serve --log /var/tmp/sallyport.log --log-level debug
  eval "$(sallyport env)"                       (in another shell: its programs go that way)
  curl http://127.0.0.1:${USUAL_PORT}/metrics        (/status, /healthz and /proxy.pac, too)

Programs of your own need no token on this machine (root's do, without --same-user); others are refused. Ctrl-C or SIGTERM
lets downloads end for ${USUAL_GRACE_S} s, a second one cuts them. A change of the configuration file is taken at once; SIGHUP reads all
settings again and opens the log file anew.`;

export function serveCommand(): Command {
  const command = new Command('serve').description(
    'Be the proxy of this machine: programs name it, it signs on',
  );
  return withPortOptions(withSignOnOptions(withRouteOptions(command)), String(USUAL_PORT))
    .addOption(warmOption())
    .option('--token', 'admit nobody without the token that sallyport env tells')
    .option('--log <file>', 'write the log there instead of standard error')
    .addOption(
      new Option('--log-level <level>', 'how much is logged (default info; -v is debug)').choices(
        LOG_LEVELS,
      ),
    )
    .addOption(
      new Option('--log-format <format>', 'default text on a terminal, else json').choices(
        LOG_FORMATS,
      ),
    )
    .option(
      '--grace <seconds>',
      `how long downloads may go on when it is stopped (default ${USUAL_GRACE_S})`,
      integer(0, MAX_GRACE_S),
    )
    .addHelpText('after', EXAMPLES)
    .action((flags: ServeFlags) => serve(flags));
}

async function serve(flags: ServeFlags): Promise<void> {
  const [{ settings, again }, own] = [
    await lastingSettings([USUAL], flags),
    await serveSettings(flags),
  ];
  checkWays(settings);
  const output = await ServeOutput.open(own);
  try {
    await using upstream = new ServeUpstream(settings, own.warm);
    const reload = new ServeReload({ flags, again, upstream, output, settings: own });
    const signals = listenToSignals(() => void reload.run(true));
    await serveUntilStopped({ flags, upstream, reload, signals, output });
  } catch (error) {
    await output.close();
    throw error;
  }
  if (!(await output.close())) {
    throw new Ended(EXIT_OK, true);
  }
}

interface Serving {
  readonly flags: ServeFlags;
  readonly upstream: ServeUpstream;
  readonly reload: ServeReload;
  readonly signals: ServeSignals;
  readonly output: ServeOutput;
}

async function serveUntilStopped(serving: Serving): Promise<void> {
  const { flags, upstream, reload, signals, output } = serving;
  using own = servePages({
    counts: () => server.counts(),
    breakers: () => processLogonGate.breakers,
    logLinesDropped: () => output.linesDropped,
    settings: () => upstream.settings,
    configuration: () => reload.outcome,
  });
  const { pages } = own;
  await using server: ProxyServer = await startProxyServer({
    upstream,
    pages,
    ...reload.settings.port,
  });
  if (server.token !== null) {
    output.keepSecret(server.token);
  }
  const withdraw = await announceServer(server.url);
  using watch = await ConfigWatch.over(watchedFiles(flags), () => void reload.run(false));
  await tellWhere(server.port, serving);
  await signals.stop;
  watch[Symbol.dispose]();
  output.log.say('info', 'stopping', { tunnels: server.counts().tunnelsOpen });
  const cut = new Promise<number>((resolve) => void signals.stopNow.then(() => resolve(0)));
  const { graceMs } = reload.settings;
  await Promise.race([server.close(graceMs), cut.then(() => server.close(0))]);
  await withdraw();
  output.log.say('info', 'stopped');
}

async function tellWhere(port: number, { flags, output }: Serving): Promise<void> {
  const url = `http://127.0.0.1:${port}`;
  if (flags.json) {
    await print(`${JSON.stringify({ ok: true, url, pid: process.pid })}\n`);
  } else if (isatty(2)) {
    remark(`listening at ${url}; eval "$(sallyport env)" sets a shell, Ctrl-C ends it`);
  }
  if (!output.isOnTerminal) {
    output.log.say('info', `listening at ${url}`, { version: VERSION, pid: process.pid });
  }
}
