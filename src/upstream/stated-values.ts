// Values that options, variables and the configuration file state, checked, and where a bad one stands. Owns these messages;
// which place is stronger is said here once.
import { checkUserName } from '../auth/credentials.ts';
import type { AllowedScheme, NegotiateForm } from '../auth/mechanisms.ts';
import { ALLOWED_SCHEMES, DEFAULT_ALLOWED } from '../auth/mechanisms.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { redactUrl } from '../observe/redact.ts';
import { normalizeHost, parsePort } from '../route/host.ts';
import type { Configuration } from '../settings/config-file.ts';
import type { Environment } from '../settings/environment.ts';
import { parseWordList } from '../settings/word-list.ts';
import { targetName } from './target.ts';

type Words = string | readonly string[] | undefined;
/** What can be said in each of the three places, under one name. */
type Name = 'auth' | 'spn' | 'spnCanonical' | 'trusted' | 'noAuth' | 'delegate';
type UserName = 'user' | 'originUser';

export interface Places {
  readonly options: { readonly [name in Name | UserName]?: Words };
  readonly environment: Pick<Environment, Name | UserName>;
  readonly configuration: Configuration | undefined;
}

export interface Stated {
  readonly words: readonly string[];
  /** As the user would look for it: `--auth`, `SALLYPORT_AUTH`, `/home/alice/.config/sallyport/config.json: auth`. */
  readonly place: string;
}

/** What the strongest place says: option, variable, configuration file. */
export function strongest(name: Name, places: Places): Stated | undefined {
  return statements(name, places)[0];
}

/** @throws SallyportError CREDENTIALS_INVALID for a name that would cost a wrong logon */
export function checkUserNames(places: Places): void {
  for (const name of ['user', 'originUser'] as const) {
    for (const { words, place } of statements(name, places)) {
      const [typed = ''] = words;
      // An empty one counts as none.
      if (typed !== '') {
        checkUserName(typed, place);
      }
    }
  }
}

function statements(
  name: Name | UserName,
  { options, environment, configuration }: Places,
): Stated[] {
  const all: readonly (readonly [Words, string])[] = [
    [options[name], `--${spell(name, '-').toLowerCase()}`],
    [environment[name], `SALLYPORT_${spell(name, '_').toUpperCase()}`],
    [configuration?.[name], `${configuration?.path}: ${name}`],
  ];
  const isName = name === 'user' || name === 'originUser';
  return all.flatMap(([value, place]) => {
    const words = typeof value === 'string' && !isName ? parseWordList(value) : value;
    return words === undefined
      ? []
      : [{ words: typeof words === 'string' ? [words] : words, place }];
  });
}

function spell(name: string, joint: string): string {
  return name.replaceAll(/[A-Z]/g, (capital) => `${joint}${capital}`);
}

/** @throws SallyportError OPTION_INVALID */
export function parseAllowed(said: Stated | undefined): readonly AllowedScheme[] {
  if (said === undefined) {
    return DEFAULT_ALLOWED;
  }
  const hint = `Known are ${ALLOWED_SCHEMES.join(', ')}, comma-separated.`;
  const found = said.words.map((name) => {
    const scheme = ALLOWED_SCHEMES.find((known) => known === name.toLowerCase());
    if (scheme === undefined) {
      throw invalid(said.place, `${JSON.stringify(name)} is not a scheme`, hint);
    }
    return scheme;
  });
  if (found.length === 0) {
    throw invalid(said.place, 'the list of allowed schemes is empty', hint);
  }
  return [...new Set(found)];
}

/** @throws SallyportError OPTION_INVALID */
export function parseForm(form: string): NegotiateForm {
  if (form === 'auto' || form === 'raw' || form === 'spnego') {
    return form;
  }
  throw invalid(
    '--negotiate-form',
    `${JSON.stringify(form)} is no form of Negotiate`,
    'It is auto, raw or spnego.',
  );
}

/** @throws SallyportError OPTION_INVALID */
export function parseSpn(said: Stated | undefined): string | undefined {
  // Only what is given as a list has more words.
  const spn = said?.words.join(' ');
  if (said !== undefined && !/^[^\s/@]+\/[^\s/]+$/.test(spn ?? '')) {
    throw invalid(
      said.place,
      `${JSON.stringify(spn)} is not a service name`,
      'Write it as HTTP/proxy.example.com.',
    );
  }
  return spn;
}

export type SpnCanonical = 'never' | 'auto' | 'always';

/** @throws SallyportError OPTION_INVALID */
export function parseSpnCanonical(said: Stated | undefined): SpnCanonical {
  const word = said?.words.join(' ') ?? 'auto';
  if (word === 'never' || word === 'auto' || word === 'always') {
    return word;
  }
  throw invalid(
    said?.place ?? 'spnCanonical',
    `${JSON.stringify(word)} is no use of canonical names`,
    'It is never, auto or always.',
  );
}

/** @throws SallyportError OPTION_INVALID */
export function parseHosts(...said: readonly (Stated | undefined)[]): ReadonlySet<string> {
  return new Set(
    said.flatMap((one) => (one?.words ?? []).map((word) => parseHost(word, one?.place ?? ''))),
  );
}

/** `host`, `host:port` or `[IPv6]:port` in the one form hosts are compared in. */
function parseHost(name: string, place: string): string {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(name) ?? [];
  const host = normalizeHost(bracketed ?? plain ?? '');
  if (host === undefined || (port !== undefined && parsePort(port) === undefined)) {
    throw invalid(
      place,
      `${JSON.stringify(redactUrl(name))} is not host or host:port`,
      'Write it as intranet.example or intranet.example:8443; no URL, no pattern.',
    );
  }
  return port === undefined ? host : targetName({ host, port: Number(port) });
}

function invalid(place: string, detail: string, hint: string): SallyportError {
  return new SallyportError('OPTION_INVALID', `${place}: ${detail}`, { hint });
}
