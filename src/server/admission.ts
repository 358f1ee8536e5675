// Who may use the port: the bearer of its token, or, when no token came, a user that was named. Owns that judgement and our own
// 407; an upstream's 407 is another matter.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { RequestHead } from '../http1/head.ts';
import type { UserId } from '../native/loopback-ends.ts';
import type { OwnAnswer } from './answers.ts';
import { page, proxyStatus } from './answers.ts';
import type { PeerOwners } from './peer-owners.ts';
import { describeUser, nameOfUser } from './user-names.ts';

export interface Admission {
  /** @returns `null` to let it pass, else what it is answered with. Never rejects */
  judge(head: RequestHead, socket: Socket): OwnAnswer | null | Promise<OwnAnswer | null>;
}

export interface AdmissionRules {
  /** `null`: there is none. */
  readonly token: string | null;
  /** Who needs none, on loopback. */
  readonly users: ReadonlySet<UserId>;
  /** Whoever runs this proxy; `null` where that is not told. */
  readonly ownUser: UserId | null;
  readonly owners: PeerOwners;
}

/** The token is the password of any user name, as `http://x:TOKEN@127.0.0.1:PORT` makes clients send it. */
export function createAdmission(rules: AdmissionRules): Admission {
  const wanted = rules.token === null ? null : digest(rules.token);
  /** A client that was admitted sends the same words with each request of its connection: nobody else learns from a comparison with them. */
  const admittedBy = new WeakMap<Socket, string>();
  return {
    judge: (head, socket) => {
      const sent = credentialsIn(head);
      const [credentials = ''] = sent;
      if (sent.length > 0) {
        const isKnown = admittedBy.get(socket) === credentials;
        if (sent.length === 1 && (isKnown || isToken(credentials, wanted))) {
          admittedBy.set(socket, credentials);
          return null;
        }
        return wrongToken(head);
      }
      return judgePeer(rules, head, socket);
    },
  };
}

/** A page of our own is asked for as of any web server. */
function isForUs({ target }: RequestHead): boolean {
  return target.startsWith('/') || target === '*';
}

function credentialsIn(head: RequestHead): readonly string[] {
  const sent = head.headers.all('proxy-authorization');
  return sent.length === 0 && isForUs(head) ? head.headers.all('authorization') : sent;
}

function isToken(credentials: string, wanted: Buffer | null): boolean {
  const given = passwordIn(credentials);
  const isRight = timingSafeEqual(digest(given ?? ''), wanted ?? digest(''));
  return isRight && given !== null && wanted !== null;
}

async function judgePeer(
  rules: AdmissionRules,
  head: RequestHead,
  socket: Socket,
): Promise<OwnAnswer | null> {
  const { remoteAddress = 'an address that is gone', remotePort = 0 } = socket;
  const user = await rules.owners.userOf(socket);
  if (user !== null && rules.users.has(user)) {
    return null;
  }
  const whose = user === null ? 'a user this system does not tell' : describeUser(user);
  const seen = `The request came from ${remoteAddress} port ${remotePort}, of ${whose}, without a token. Nothing was sent on.`;
  return refusal(
    head,
    [seen, ruleOf(rules), wayIn(rules, user)].join(' '),
    `no token, from ${whose}`,
  );
}

function ruleOf({ token, users }: AdmissionRules): string {
  const named = [...users].map((user) => describeUser(user)).join(', ');
  if (named === '') {
    return 'This port is for whoever has its token.';
  }
  return token === null
    ? `This port is for programs of ${named}.`
    : `This port is for whoever has its token, and without one for programs of ${named}.`;
}

/** The exact words. */
function wayIn({ token, ownUser }: AdmissionRules, user: UserId | null): string {
  const byToken =
    token === null
      ? ''
      : ' The token stands in HTTP_PROXY, as run sets it and sallyport env prints it, in front of the @: send it.';
  if (user === null) {
    return byToken.trim();
  }
  if (user === ownUser) {
    return `Start Sallyport with --same-user to admit it.${byToken}`;
  }
  return process.platform === 'linux'
    ? `Start Sallyport with --allow-user ${nameOfUser(user)} to admit it.${byToken}`
    : byToken.trim();
}

/** Tells nothing: neither who is seen nor how near it was. */
function wrongToken(head: RequestHead): OwnAnswer {
  return refusal(
    head,
    'The token that was sent is not the one of this port. Nothing was sent on.',
    'the token is not the one of this port',
  );
}

function refusal(head: RequestHead, text: string, details: string): OwnAnswer {
  const [status, header] = isForUs(head)
    ? ([401, 'WWW-Authenticate'] as const)
    : ([407, 'Proxy-Authenticate'] as const);
  return page(status, text, [
    [header, 'Basic realm="sallyport"'],
    proxyStatus('http_request_denied', details),
  ]);
}

/** Of `Basic` credentials, what stands behind the first colon. */
function passwordIn(credentials: string): string | null {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(credentials) ?? [];
  const text = Buffer.from(encoded ?? '', 'base64').toString();
  const colon = text.indexOf(':');
  return colon === -1 ? null : text.slice(colon + 1);
}

/** Compared as digests, so that neither time nor length tells anything. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
