// What `serve` is told about itself: options, and where they are silent the object `serve` of the configuration file. Owns the
// merging and the defaults; what may be changed while it runs is `serve-reload.ts`.
import { dirname, join } from 'node:path';
import type { ProxyServerOptions } from '../server/local-proxy.ts';
import type { Configuration } from '../settings/config-file.ts';
import { readConfiguration } from '../settings/config-file.ts';
import { findDefaultConfigPath } from '../settings/config-path.ts';
import { readEnvironment } from '../settings/environment.ts';
import { listKeyring } from '../settings/keyring.ts';
import type { LogFormat, LogLevel, ServeConfiguration } from '../settings/serve-configuration.ts';
import { readTrustedProxies } from '../settings/trusted-proxies.ts';
import { MAX_READY } from '../upstream/ready-connections.ts';
import type { CommonFlags } from './flags.ts';
import type { PortFlags } from './port-flags.ts';
import { portOptions } from './port-flags.ts';
import type { WarmFlag } from './warm-flag.ts';

/** What cntlm and px listen on: programs are set up for it already. */
export const USUAL_PORT = 3128;
/** A download that is under way may end; a second signal cuts it. */
export const USUAL_GRACE_S = 10;

export interface ServeFlags extends CommonFlags, PortFlags, WarmFlag {
  readonly token?: true;
  readonly log?: string;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
  readonly grace?: number;
}

export interface ServeSettings {
  /** What is read beside it, as text: two that are equal need no other upstream. */
  readonly others: string;
  /** Fixed while it runs. */
  readonly port: Omit<ProxyServerOptions, 'upstream'>;
  readonly warm: number;
  /** `null`: standard error. */
  readonly log: string | null;
  readonly logLevel: LogLevel;
  /** `null`: text on a terminal, else JSON. */
  readonly logFormat: LogFormat | null;
  readonly graceMs: number;
}

/** The configuration file that counts, whether it is there or not; `undefined` without a home. */
export function configurationPath({ config }: CommonFlags): string | undefined {
  return config ?? readEnvironment().config ?? findDefaultConfigPath(process.env, process.platform);
}

/** The files a change of which is a change of settings: that one, and the lists that `trust` and `login` keep beside the user's own. */
export function watchedFiles(flags: CommonFlags): readonly string[] {
  const own = findDefaultConfigPath(process.env, process.platform);
  const path = configurationPath(flags);
  return [
    ...(path === undefined ? [] : [path]),
    ...(own === undefined
      ? []
      : ['trusted-proxies.json', 'stored-logins.json'].map((name) => join(dirname(own), name))),
  ];
}

/** @throws SallyportError CONFIG_INVALID, OPTION_INVALID */
export async function serveSettings(flags: ServeFlags): Promise<ServeSettings> {
  const configuration = await readConfiguration(flags.config ?? readEnvironment().config);
  const { serve, ...rest }: Partial<Configuration> = configuration ?? {};
  const file: Partial<ServeConfiguration> = serve ?? {};
  const level = flags.verbose ? 'debug' : undefined;
  return {
    others: JSON.stringify([rest, await readTrustedProxies(), await listKeyring()]),
    port: portOf(flags, file),
    warm: flags.warm ?? file.warm ?? MAX_READY,
    log: flags.log ?? file.log ?? null,
    logLevel: flags.logLevel ?? level ?? file.logLevel ?? 'info',
    logFormat: flags.logFormat ?? file.logFormat ?? null,
    graceMs: (flags.grace ?? file.grace ?? USUAL_GRACE_S) * 1000,
  };
}

function portOf(flags: ServeFlags, file: Partial<ServeConfiguration>): ServeSettings['port'] {
  const listen = flags.listen ?? file.listen;
  const allow = flags.allow ?? file.allow?.join(',');
  const allowUser = flags.allowUser ?? file.allowUser?.join(',');
  const isToken = (wants: boolean | undefined) => (wants === true ? false : undefined);
  const sameUser =
    flags.sameUser ?? isToken(flags.token) ?? file.sameUser ?? isToken(file.token) ?? !isRoot();
  const port = portOptions({
    ...(listen === undefined ? {} : { listen }),
    ...(allow === undefined ? {} : { allow }),
    ...(allowUser === undefined ? {} : { allowUser }),
  });
  return {
    port: USUAL_PORT,
    ...port,
    sameUser,
  };
}

/** Daemons and setuid programs are root's, and work for everybody: they are admitted by `--same-user` only. */
function isRoot(): boolean {
  return process.geteuid?.() === 0;
}
