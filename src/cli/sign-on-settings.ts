// The settings of a command: flags, passwords from standard input, and the prompt when somebody sits there. Owns the
// order in which these are asked.
import { SallyportError } from '../errors/sallyport-error.ts';
import { formatProxyUrl } from '../route/route.ts';
import { readEnvironment } from '../settings/environment.ts';
import { parseWordList } from '../settings/word-list.ts';
import type { SallyportOptions, UpstreamSettings } from '../upstream/settings.ts';
import { resolveSettings } from '../upstream/settings.ts';
import { targetName, targetOf } from '../upstream/target.ts';
import type { CommonFlags } from './flags.ts';
import { toOptions } from './flags.ts';
import { remark } from './narrate.ts';
import { canPrompt, promptHidden, readLines, standardInput } from './password.ts';

/** Settings of a command that goes on while files change. */
export interface LastingSettings {
  readonly settings: UpstreamSettings;
  /**
   * Reads all that is kept in files and the system once more. Nobody is asked: a password that was typed counts for the user it was
   * asked for.
   *
   * @throws SallyportError as `resolveSettings`
   */
  again(): Promise<UpstreamSettings>;
}

/**
 * @param urls what is asked for: their hosts are trusted with `--origin-user`, as they were typed with it
 * @throws SallyportError as `resolveSettings`, CREDENTIALS_MISSING, and USAGE for options that come to nothing
 */
export async function settingsFor(
  urls: readonly URL[],
  flags: CommonFlags,
): Promise<UpstreamSettings> {
  return (await lastingSettings(urls, flags)).settings;
}

/**
 * The same, for more than once.
 *
 * @throws SallyportError as `settingsFor`
 */
export async function lastingSettings(
  urls: readonly URL[],
  flags: CommonFlags,
): Promise<LastingSettings> {
  const stated: SallyportOptions = {
    ...toOptions(flags),
    ...(await passwordsFromInput(flags)),
    ...trusting(urls, flags),
  };
  let options = stated;
  let settings = await resolveSettings(options);
  for (const url of urls) {
    checkDelegate(url, flags, settings);
  }
  if (flags.verbose) {
    tellUnused(urls, settings);
  }
  for (const url of urls) {
    const asked = await passwordsFromPeople(url, flags, settings, options);
    if (Object.keys(asked).length > 0) {
      options = { ...options, ...asked };
      settings = await resolveSettings(options);
    }
  }
  const typed = { stated, options };
  return { settings, again: () => resolveAgain(urls, typed) };
}

async function resolveAgain(
  urls: readonly URL[],
  { stated, options }: { readonly stated: SallyportOptions; readonly options: SallyportOptions },
): Promise<UpstreamSettings> {
  const settings = await resolveSettings(stated);
  const isForAnother = urls.some((url) => {
    const route = settings.routeFor(url);
    return route.kind === 'proxy' && settings.userFor(route.proxy) !== options.user;
  });
  const wasAsked = options.password !== stated.password;
  return wasAsked && isForAnother ? settings : await resolveSettings(options);
}

async function passwordsFromInput(flags: CommonFlags): Promise<SallyportOptions> {
  const wanted: ('password' | 'originPassword')[] = [];
  if (flags.passwordStdin) {
    wanted.push('password');
  }
  if (flags.originPasswordStdin) {
    wanted.push('originPassword');
  }
  if (wanted.length === 0) {
    return {};
  }
  if (process.stdin.isTTY) {
    throw new SallyportError(
      'USAGE',
      'Standard input is a terminal, where a password would be seen',
      {
        hint: 'Leave the option out: the password is then asked for, hidden.',
      },
    );
  }
  const lines = await readLines(standardInput(), wanted.length);
  return Object.fromEntries(wanted.map((name, at) => [name, lines[at]]));
}

function trusting(urls: readonly URL[], flags: CommonFlags): SallyportOptions {
  if (flags.originUser === undefined) {
    return {};
  }
  const hosts = urls.map((url) => targetName(targetOf(url)));
  return { trusted: [...parseWordList(flags.trusted ?? ''), ...hosts] };
}

function checkDelegate(url: URL, { delegate }: CommonFlags, settings: UpstreamSettings): void {
  const target = targetOf(url);
  if (
    delegate !== undefined &&
    settings.mayDelegateTo(target) &&
    !settings.isTrustedOrigin(target)
  ) {
    throw new SallyportError('USAGE', `${target.host} is in --delegate, but is not trusted`, {
      hint: `Delegation is for trusted web servers: add --trusted ${target.host}.`,
    });
  }
}

/** It may stand there for other programs, or for a name that is given elsewhere: no error. */
function tellUnused(urls: readonly URL[], settings: UpstreamSettings): void {
  const isUnused = urls.every((url) => {
    const route = settings.routeFor(url);
    return route.kind === 'proxy' && settings.userFor(route.proxy) === null;
  });
  if (isUnused && readEnvironment().password !== undefined) {
    remark('SALLYPORT_PASSWORD is not used: nobody is named (--user, SALLYPORT_USER)');
  }
}

/** Asks only for what is missing and may be sent, and only where somebody can answer. */
async function passwordsFromPeople(
  url: URL,
  flags: CommonFlags,
  settings: UpstreamSettings,
  options: SallyportOptions,
): Promise<SallyportOptions> {
  if (!canPrompt()) {
    return {};
  }
  const route = settings.routeFor(url);
  const asked: { password?: string; originPassword?: string; user?: string } = {};
  if (
    route.kind === 'proxy' &&
    settings.ruleFor(route.proxy, route.source).password &&
    (await settings.identityFor(route.proxy)) === null
  ) {
    const user = settings.userFor(route.proxy);
    if (user !== null) {
      asked.user = options.user ?? user;
      asked.password = await ask(`Password of ${user} for ${formatProxyUrl(route.proxy)}: `);
    }
  }
  const mayBeAsked = flags.originUser !== undefined && !settings.getsNoSignOn(targetOf(url));
  if (mayBeAsked && settings.originIdentity === null) {
    asked.originPassword = await ask(`Password of ${flags.originUser} for ${url.host}: `);
  }
  return asked;
}

async function ask(question: string): Promise<string> {
  const answer = await promptHidden(question);
  if (answer === null || answer === '') {
    throw new SallyportError('CREDENTIALS_MISSING', 'No password was given at the prompt');
  }
  return answer;
}
