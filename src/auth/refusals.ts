// Says in words why no offer of a server could be answered. Owns these messages; decides nothing.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { Identity } from './credentials.ts';
import type { Refusal, RefusalReason } from './pick-scheme.ts';

interface RefusalContext {
  /** `host:port` of the server that asked. */
  readonly host: string;
  readonly layer: 'proxy' | 'origin';
  /** Schemes, as the server wrote them. */
  readonly offered: readonly string[];
  readonly refusals: readonly Refusal[];
  /** The name that was given, when only its password is missing. */
  readonly user: string | null;
  readonly identity: Identity['kind'] | null;
  /** The rule that keeps the sign-on, or part of it, from this host; else `null`. */
  readonly notTrusted: string | null;
  /** Why mechanisms could not begin, in the order they were tried. */
  readonly causes: readonly SallyportError[];
}

/**
 * The error for a challenge that nothing may answer.
 *
 * @returns BASIC_NOT_ALLOWED (with the options that would allow it), CREDENTIALS_MISSING,
 *   KERBEROS_ONLY, SCHEME_NOT_ALLOWED, SCHEME_UNSUPPORTED, SIGN_ON_NOT_TRUSTED, or why the operating system's
 *   sign-on could not begin
 */
export function refusalError(context: RefusalContext): SallyportError {
  const { host, layer, refusals, user, identity, causes } = context;
  const telling = causes.find(isTelling);
  const offered = context.offered.join(', ');
  const schemesFor = (...reasons: RefusalReason[]) =>
    refusals.filter(({ reason }) => reasons.includes(reason)).map(({ scheme }) => scheme);
  if (context.offered.length === 0) {
    return new SallyportError(
      'SCHEME_UNSUPPORTED',
      `${host} asks for sign-on but offers no scheme`,
      { hint: `Tell the people who run ${host}: a challenge header is missing in the answer.` },
    );
  }
  if (context.notTrusted !== null) {
    return notTrusted(context, context.notTrusted);
  }
  if (schemesFor('no-credentials').length > 0) {
    return new SallyportError(
      'CREDENTIALS_MISSING',
      `${host} asks for sign-on (${offered}) and ${user === null ? 'no credentials were given' : `there is no password for ${user}`}`,
      { hint: missingHint(layer, user) },
    );
  }
  const [cause] = causes;
  // What was told to begin may be none of what is offered.
  if (identity === 'system' && cause !== undefined && schemesFor('set-aside').length > 0) {
    return systemFailed(context, cause);
  }
  if (isKerberosOnly(refusals)) {
    return telling ?? kerberosOnly(host, layer, cause);
  }
  if (schemesFor('ntlm-forbidden').length > 0) {
    return telling ?? ntlmForbidden(host, offered, cause);
  }
  const notAllowed = refusals.filter(
    ({ scheme, reason }) => reason === 'not-allowed' && !isBasic(scheme),
  );
  if (notAllowed.length > 0) {
    const auth = [...new Set(notAllowed.flatMap(({ wantsAllowed = [] }) => wantsAllowed))].join(
      ',',
    );
    const who = identity === null ? whoIsMissing(context) : NOBODY_IS_MISSING;
    return new SallyportError(
      'SCHEME_NOT_ALLOWED',
      `${host} offers ${offered}; none of them is both allowed and usable`,
      { hint: `To allow one${who.words}:`, remedy: { auth, ...who.remedy } },
    );
  }
  const basic = refusals.find(({ scheme }) => isBasic(scheme));
  if (basic?.reason === 'clear-text' || basic?.reason === 'not-allowed') {
    return basicError(context, basic);
  }
  const [weaker] = schemesFor('would-be-downgrade');
  if (weaker !== undefined) {
    return downgrade(context, weaker);
  }
  if (schemesFor('set-aside').length > 0) {
    return new SallyportError(
      'SCHEME_UNSUPPORTED',
      `${host} offers ${offered} but refuses to begin a sign-on with it`,
      { hint: `Tell the people who run ${host}: it offers a scheme it does not take.` },
    );
  }
  return new SallyportError(
    'SCHEME_UNSUPPORTED',
    `${host} offers ${offered}; none can be answered`,
    {
      hint: 'Sallyport answers Negotiate, NTLM, Digest and Basic.',
    },
  );
}

/** Basic is what most would come to; Digest under MD5 is the other one. */
function downgrade({ host, offered }: RefusalContext, scheme: string): SallyportError {
  const isForBasic = isBasic(scheme);
  return new SallyportError(
    isForBasic ? 'BASIC_NOT_ALLOWED' : 'SCHEME_NOT_ALLOWED',
    `${host} offers ${offered.join(', ')} but refuses to begin a sign-on with anything but ${scheme}, which is no stand-in for a stronger scheme`,
    {
      hint: `Somebody on the way could have brought that about. If ${scheme} is what you want:`,
      remedy: { auth: scheme.toLowerCase() },
    },
  );
}

function notTrusted(
  { host, offered, identity, causes }: RefusalContext,
  rule: string,
): SallyportError {
  const detail = causes[0] === undefined ? '' : ` (${withoutHost(causes[0], host)})`;
  const whose = identity === 'system' ? 'yours is' : 'your password is';
  return new SallyportError(
    'SIGN_ON_NOT_TRUSTED',
    `${host} asks for sign-on (${offered.join(', ')}), and ${whose} not given to it: ${rule}${detail}`,
    {
      hint: rule.includes('noAuth')
        ? 'Take it out of that list, or go without this proxy.'
        : `If it is your company's proxy: sallyport trust ${host.replace(/:\d+$/, '')}`,
    },
  );
}

/** The signed-in user could not sign on: what the operating system said. */
function systemFailed(
  { host, layer, offered }: RefusalContext,
  cause: SallyportError,
): SallyportError {
  return new SallyportError(
    cause.code,
    `${host} asks for sign-on (${offered.join(', ')}), and yours cannot be used: ${withoutHost(cause, host)}`,
    {
      cause,
      hint: withName(cause.hint ?? '', layer === 'proxy' ? '--user' : '--origin-user'),
      ...(cause.native === undefined ? {} : { native: cause.native }),
    },
  );
}

function withoutHost({ message }: SallyportError, host: string): string {
  return message.replace(`${host}: `, '');
}

function withName(hint: string, option: string): string {
  if (hint === '') {
    return `Give a name with ${option}.`;
  }
  return hint.includes(option) ? hint : `${hint} Or give a name with ${option}.`;
}

/** More than "there is no Kerberos for this password here". */
function isTelling({ code }: SallyportError): boolean {
  return code !== 'SIGN_ON_MISSING' && code !== 'SIGN_ON_UNAVAILABLE';
}

function kerberosOnly(
  host: string,
  layer: 'proxy' | 'origin',
  cause: SallyportError | undefined,
): SallyportError {
  return new SallyportError(
    'KERBEROS_ONLY',
    `${host}: the ${layer} offers only Kerberos; it refused NTLM inside Negotiate`,
    {
      cause,
      hint: `${cause === undefined ? '' : `No ticket could be got for that name: ${withoutHost(cause, host)}. `}Sign in to the domain (kinit) and leave --user out, or ask for a proxy port that takes NTLM.`,
    },
  );
}

function missingHint(layer: 'proxy' | 'origin', user: string | null): string {
  const [option, variable, userVariable] =
    layer === 'proxy'
      ? ['--user', 'SALLYPORT_PASSWORD', 'SALLYPORT_USER']
      : ['--origin-user', 'SALLYPORT_ORIGIN_PASSWORD', 'SALLYPORT_ORIGIN_USER'];
  return user === null
    ? `Give a name with ${option} "DOMAIN\\name", and the password at the prompt, on standard input or in ${variable}.`
    : `Set ${variable} (where ${userVariable} names somebody, it is the password of that one), or give the password on standard input or at a terminal${layer === 'proxy' ? ', or store it with sallyport login' : ''}.`;
}

/** Negotiate stands there alone, or beside schemes we cannot speak, and took no form of NTLM. */
function isKerberosOnly(refusals: readonly Refusal[]): boolean {
  return (
    refusals.some(({ reason }) => reason === 'set-aside') &&
    refusals.every(
      ({ scheme, reason }) =>
        reason === 'unsupported' ||
        (reason === 'set-aside' && scheme.toLowerCase() === 'negotiate'),
    )
  );
}

function ntlmForbidden(
  host: string,
  offered: string,
  cause: SallyportError | undefined,
): SallyportError {
  const why = cause === undefined ? 'Kerberos would need a ticket' : withoutHost(cause, host);
  return new SallyportError(
    'SCHEME_NOT_ALLOWED',
    `${host} offers ${offered}, and NTLM is not allowed here`,
    { cause, hint: `${why}. Allow NTLM by leaving out --no-ntlm and allowNtlm: false.` },
  );
}

function isBasic(scheme: string): boolean {
  return scheme.toLowerCase() === 'basic';
}

interface Missing {
  /** What the command of a remedy needs besides, as the end of a sentence. */
  readonly words: string;
  readonly remedy: Readonly<Record<string, string>>;
}

const NOBODY_IS_MISSING: Missing = { words: '', remedy: {} };

/** A scheme with a password does not pass by being allowed alone. */
function whoIsMissing({ layer, user, identity }: RefusalContext): Missing {
  if (identity === 'password') {
    return NOBODY_IS_MISSING;
  }
  return user === null
    ? {
        words: ', with your name for NAME',
        remedy: { [layer === 'proxy' ? 'user' : 'originUser']: 'NAME' },
      }
    : { words: `, with the password of ${user}`, remedy: {} };
}

function basicError(context: RefusalContext, { reason, wantsAllowed }: Refusal): SallyportError {
  const { host } = context;
  const offered = context.offered.join(', ');
  const isClear = reason === 'clear-text';
  const who = whoIsMissing(context);
  return new SallyportError(
    'BASIC_NOT_ALLOWED',
    isClear
      ? `${host} offers ${offered}; Basic would send the password readable over an unencrypted connection`
      : `${host} offers ${offered}; Basic sends the password itself and was not allowed`,
    {
      hint: `Only if you trust the network between you and that host, allow it${who.words}:`,
      remedy: {
        ...(wantsAllowed === undefined ? {} : { auth: wantsAllowed.join(',') }),
        ...(isClear ? { allowBasicHttp: true } : {}),
        ...who.remedy,
      },
    },
  );
}
