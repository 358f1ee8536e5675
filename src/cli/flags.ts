// The flags commands share, and their way into the library's own. Owns spelling and help of these flags.
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { checkUserName } from '../auth/credentials.ts';
import type { NegotiateForm } from '../auth/mechanisms.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { SallyportOptions } from '../upstream/settings.ts';
import type { SpnCanonical } from '../upstream/stated-values.ts';

export interface CommonFlags {
  readonly proxy?: string;
  readonly noProxy?: string;
  readonly noSystemProxy?: true;
  readonly auth?: string;
  readonly user?: string;
  readonly passwordStdin?: true;
  readonly originUser?: string;
  readonly originPasswordStdin?: true;
  readonly trusted?: string;
  readonly ca?: string;
  readonly noSystemCa?: true;
  readonly spn?: string;
  readonly spnCanonical?: SpnCanonical;
  readonly noSystemSignOn?: true;
  readonly noNtlm?: true;
  readonly noAuth?: string;
  readonly delegate?: string;
  readonly allowBasicHttp?: true;
  readonly negotiateForm?: NegotiateForm;
  readonly config?: string;
  readonly connectTimeout?: number;
  readonly verbose?: number;
  readonly json?: true;
}

/** Where the proxy comes from. */
export function withRouteOptions(command: Command): Command {
  return command
    .option('--proxy <url>', 'the proxy: http://host:port, https://host:port, or direct')
    .addOption(flag('--no-proxy <list>', 'hosts that need no proxy, comma-separated'))
    .addOption(flag('--no-system-proxy', 'pass by the proxy settings of the operating system'))
    .option('--config <file>', 'configuration file instead of your own')
    .option('--json', 'machine-readable result on standard output');
}

/** Who signs on to the proxy and to servers behind it, and how. */
export function withSignOnOptions(command: Command): Command {
  return withConnectionOptions(
    withProxySignOnOptions(command)
      .option('--origin-user <name>', 'who signs on to the web server of this URL, when it asks')
      .option(
        '--origin-password-stdin',
        'read that password from the (next) line of standard input',
      )
      .option(
        '--trusted <list>',
        'further web servers whose 401 may be answered: host or host:port',
      )
      .addOption(flag('--no-system-sign-on', 'never use the sign-on of the operating system'))
      .addOption(flag('--no-auth <list>', 'hosts that get no sign-on: host or host:port'))
      .option('--delegate <list>', 'trusted web servers that may act as you elsewhere (Kerberos)'),
  );
}

/** Who signs on to the proxy, and how. */
export function withProxySignOnOptions(command: Command): Command {
  return command
    .option(
      '--user <name>',
      'who signs on to the proxy: DOMAIN\\name, name@domain or name (default the signed-in user)',
    )
    .option('--password-stdin', 'read the password from the first line of standard input')
    .option(
      '--auth <list>',
      'allowed schemes in order: negotiate,ntlm,digest,basic (default all but basic)',
    )
    .option('--allow-basic-http', 'let Basic send the password over an unencrypted connection')
    .addOption(flag('--no-ntlm', 'Kerberos only: never answer by NTLM'))
    .option('--spn <name>', 'service name of the proxy (default HTTP/<its host name>)')
    .addOption(
      new Option('--spn-canonical <when>', 'use the canonical name of the host for it').choices([
        'never',
        'auto',
        'always',
      ]),
    )
    .addOption(
      new Option(
        '--negotiate-form <form>',
        'what goes out under Negotiate: Kerberos, then NTLM (auto), or NTLM in one form',
      ).choices(['auto', 'raw', 'spnego']),
    );
}

/** How a connection is made, and what is told about it. */
export function withConnectionOptions(command: Command): Command {
  return command
    .option('--ca <file>', 'PEM file of certificate authorities to trust besides the usual ones')
    .addOption(flag('--no-system-ca', 'do not trust the authorities of the operating system'))
    .option('--connect-timeout <seconds>', 'longest wait for a connection (default 10)', seconds)
    .option(
      '-v, --verbose',
      'show each leg, without secrets; -vv adds the headers of the answer and stack traces',
      (_value, before: number) => before + 1,
      0,
    );
}

/**
 * The library's words for the given flags; passwords are added by the caller.
 *
 * @throws SallyportError USAGE for an empty value, or a name with a password in it; CREDENTIALS_INVALID for a name that
 *   cannot be one
 */
export function toOptions(flags: CommonFlags): SallyportOptions {
  checkName('--user', flags.user);
  checkName('--origin-user', flags.originUser);
  const given = {
    proxy: flags.proxy,
    noProxy: flags.noProxy,
    auth: flags.auth,
    user: flags.user?.trim(),
    originUser: flags.originUser?.trim(),
    trusted: flags.trusted,
    ca: flags.ca,
    systemProxy: flags.noSystemProxy ? false : undefined,
    systemCa: flags.noSystemCa ? false : undefined,
    spn: flags.spn,
    spnCanonical: flags.spnCanonical,
    systemSignOn: flags.noSystemSignOn ? false : undefined,
    allowNtlm: flags.noNtlm ? false : undefined,
    noAuth: flags.noAuth,
    delegate: flags.delegate,
    allowBasicHttp: flags.allowBasicHttp,
    negotiateForm: flags.negotiateForm,
    config: flags.config,
    connectTimeoutMs: flags.connectTimeout === undefined ? undefined : flags.connectTimeout * 1000,
  };
  const empty = Object.entries(given).find(([name, value]) => value === '' && name !== 'noProxy');
  if (empty !== undefined) {
    throw new SallyportError('USAGE', `--${kebab(empty[0])} has an empty value`, {
      hint: 'Give it a value, or leave the option out.',
    });
  }
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as SallyportOptions;
}

/** `spnCanonical` -> `spn-canonical` */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

/** Slips that would cost a wrong logon. What stands behind a colon may be a password: it is not shown. */
function checkName(option: string, name: string | undefined): void {
  if (name?.includes(':')) {
    throw new SallyportError('USAGE', `${option} takes the name only, without a password`, {
      hint: 'The password is asked for, or comes from a variable or standard input.',
    });
  }
  if (name?.includes('\\\\')) {
    throw new SallyportError('USAGE', `${option} has two backslashes in a row`, {
      hint: 'Write it with one, in quotes: "DOMAIN\\name".',
    });
  }
  if (name) {
    checkUserName(name.trim(), option);
  }
}

/** Commander takes `--no-x` for the negation of `--x`; here it is a word of its own. */
function flag(flags: string, description: string): Option {
  return new NoOption(flags, description);
}

class NoOption extends Option {
  override negate = false;

  override attributeName(): string {
    const name = this.name().replace(/^no-/, '');
    return `no${`-${name}`.replaceAll(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase())}`;
  }
}

/** For options that are a count. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** For options that are a time. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 86_400)) {
    throw new InvalidArgumentError(
      'It must be a number of seconds above 0, a day (86400) at most.',
    );
  }
  return value;
}
