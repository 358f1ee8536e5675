// The settings of a command: flags, passwords from standard input, and the prompt when somebody sits there. Owns the
// order in which these are asked.
import { SallyportError } from '../errors/sallyport-error.ts';
import { formatProxyUrl } from '../route/route.ts';
import { parseWordList } from '../settings/word-list.ts';
import type { SallyportOptions, UpstreamSettings } from '../upstream/settings.ts';
import { resolveSettings } from '../upstream/settings.ts';
import { targetName, targetOf } from '../upstream/target.ts';
import type { CommonFlags } from './flags.ts';
import { toOptions } from './flags.ts';
import { canPrompt, promptHidden, readLines } from './password.ts';

/**
 * @param url what is asked for: its host is trusted with `--origin-user`, as it was typed with it
 * @throws SallyportError as `resolveSettings`, and CREDENTIALS_MISSING
 */
export async function settingsFor(url: URL, flags: CommonFlags): Promise<UpstreamSettings> {
  const options = {
    ...toOptions(flags),
    ...(await passwordsFromInput(flags)),
    ...trusting(url, flags),
  };
  const settings = await resolveSettings(options);
  const asked = await passwordsFromPeople(url, flags, settings, options);
  return Object.keys(asked).length === 0 ? settings : resolveSettings({ ...options, ...asked });
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
  const lines = await readLines(process.stdin, wanted.length);
  return Object.fromEntries(wanted.map((name, at) => [name, lines[at]]));
}

function trusting(url: URL, flags: CommonFlags): SallyportOptions {
  if (flags.originUser === undefined) {
    return {};
  }
  return { trusted: [...parseWordList(flags.trusted ?? ''), targetName(targetOf(url))] };
}

/** Asks only for what is missing, and only where somebody can answer. */
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
  if (route.kind === 'proxy' && (await settings.identityFor(route.proxy)) === null) {
    const user = settings.userFor(route.proxy);
    if (user !== null) {
      asked.user = options.user ?? user;
      asked.password = await ask(`Password of ${user} for ${formatProxyUrl(route.proxy)}: `);
    }
  }
  if (flags.originUser !== undefined && settings.originIdentity === null) {
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
