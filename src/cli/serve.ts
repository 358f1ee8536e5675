// `sallyport serve`: the local proxy for a desktop or a build host, until it is stopped.
import { isatty } from 'node:tty';
import { Command } from 'commander';
import { createProxyServer } from '../server/local-proxy.ts';
import { announceServer } from '../server/running-server.ts';
import { Upstream } from '../upstream/upstream.ts';
import type { CommonFlags } from './flags.ts';
import { withRouteOptions, withSignOnOptions } from './flags.ts';
import { narrate, remark } from './narrate.ts';
import type { PortFlags } from './port-flags.ts';
import { portOptions, withPortOptions } from './port-flags.ts';
import { print } from './print.ts';
import { settingsFor } from './sign-on-settings.ts';
import type { WarmFlag } from './warm-flag.ts';
import { warmOption } from './warm-flag.ts';

/** What cntlm and px listen on: programs are set up for it already. */
const USUAL_PORT = 3128;
/** A download that is under way may end; a second signal cuts it. */
const GRACE_MS = 10_000;
/** Where passwords are asked for before the first program comes. */
const USUAL = new URL('https://example.com/');

const EXAMPLES = `
Examples:
  sallyport serve                               (port ${USUAL_PORT}, for programs of yours)
  sallyport serve --listen 8888 --user "CORP\\alice"
  eval "$(sallyport env)"                       (in another shell: its programs go that way)

Programs of your own need no token on this machine (root's do, without --same-user); others are refused. Ctrl-C or SIGTERM
lets downloads end for ${GRACE_MS / 1000} s, a second one cuts them.`;

type ServeFlags = CommonFlags & PortFlags & WarmFlag & { readonly token?: true };

export function serveCommand(): Command {
  const command = new Command('serve').description(
    'Be the proxy of this machine: programs name it, it signs on',
  );
  return withPortOptions(withSignOnOptions(withRouteOptions(command)))
    .addOption(warmOption())
    .option('--token', 'admit nobody without the token that sallyport env tells')
    .addHelpText('after', EXAMPLES)
    .action((flags: ServeFlags) => serve(flags));
}

async function serve(flags: ServeFlags): Promise<void> {
  const settings = await settingsFor([USUAL], flags);
  if (flags.verbose) {
    narrate();
  }
  const stopped = untilStopped();
  await using upstream = new Upstream(settings, undefined, { warm: flags.warm });
  const port = portOptions(flags);
  const server = await createProxyServer({
    upstream,
    port: USUAL_PORT,
    ...port,
    sameUser: port.sameUser === true || (flags.token !== true && !isRoot()),
  });
  const withdraw = await announceServer(server.url);
  await tellWhere(server.port, flags);
  await stopped.first;
  const cut = new Promise<number>((resolve) => void stopped.second.then(() => resolve(0)));
  await Promise.race([server.close(GRACE_MS), cut.then(() => server.close(0))]);
  await withdraw();
}

async function tellWhere(port: number, flags: ServeFlags): Promise<void> {
  const url = `http://127.0.0.1:${port}`;
  if (flags.json) {
    await print(`${JSON.stringify({ ok: true, url, pid: process.pid })}\n`);
  } else if (isatty(2)) {
    remark(`listening at ${url}; eval "$(sallyport env)" sets a shell, Ctrl-C ends it`);
  } else {
    remark(`listening at ${url}`);
  }
}

/** Daemons and setuid programs are root's, and work for everybody: they are admitted by `--same-user` only. */
function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** The two signals that end a server, and the one more that does not wait. */
function untilStopped(): { readonly first: Promise<void>; readonly second: Promise<void> } {
  let count = 0;
  let told: (() => void)[] = [];
  const [first, second] = [0, 1].map(
    () => new Promise<void>((resolve) => (told = [...told, resolve])),
  ) as [Promise<void>, Promise<void>];
  const stop = (): void => {
    told[count]?.();
    count += 1;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, stop);
  }
  return { first, second };
}
