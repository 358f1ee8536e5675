// The options that say who may use the local proxy. Owns their spelling; what they mean is `server/`'s.
import type { Command } from 'commander';
import { parseListenAddress } from '../server/listen-address.ts';
import type { ProxyServerOptions } from '../server/local-proxy.ts';

export interface PortFlags {
  readonly listen?: string;
  readonly allow?: string;
  readonly sameUser?: true;
  readonly allowUser?: string;
}

/** @param usual what is listened on when nothing is said */
export function withPortOptions(command: Command, usual: string): Command {
  return command
    .option(
      '--listen <address>',
      `port of the local proxy, or address:port beside loopback (default ${usual})`,
    )
    .option('--allow <list>', 'networks that may connect to that address, such as 172.17.0.0/16')
    .option('--same-user', 'programs of yours on this machine need no token')
    .option('--allow-user <list>', 'nor do those of these users: names or uids (Linux)');
}

/** @throws SallyportError OPTION_INVALID for an address that is none */
export function portOptions(flags: PortFlags): Omit<ProxyServerOptions, 'upstream'> {
  return {
    ...(flags.listen === undefined ? {} : parseListenAddress(flags.listen)),
    allow: wordsOf(flags.allow),
    sameUser: flags.sameUser === true,
    allowUsers: wordsOf(flags.allowUser),
  };
}

function wordsOf(list: string | undefined): readonly string[] {
  return (list ?? '').split(/[\s,]+/).filter((word) => word !== '');
}
