// What belongs to one client alone: connections on which an origin has signed it on, or is about to (RFC 4559 section 6).
// Owns the tie; nobody else ever gets such a connection, and it ends with the client.
import type { Challenge } from '../http1/challenges.ts';
import { isScheme, parseChallenges } from '../http1/challenges.ts';
import type { ResponseHead } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { Connection } from './connection.ts';

/** A browser keeps six connections to one origin; a client that signs on at many keeps those of the last ones. */
const MAX_TIED = 8;

interface Tied {
  readonly owner: object;
  readonly connection: Connection;
}

/**
 * One client of a program that serves several, such as a proxy. Give it with each of its requests, and close it
 * when the client has gone.
 *
 * An `Upstream` gets of it what it has put there itself: another one signs on as somebody else, perhaps.
 * Without one, a connection that an origin has signed on is used for one request and closed.
 *
 * @example
 * ```ts
 * import { ClientTie, createUpstream } from 'sallyport';
 *
 * await using upstream = await createUpstream({ proxy: 'http://proxy.corp.example:3128' });
 * using tie = new ClientTie();
 * const { body } = await upstream.request('http://intranet.example/', { tie });
 * for await (const piece of body) {
 *   process.stdout.write(piece);
 * }
 * ```
 */
export class ClientTie implements Disposable {
  readonly #idle = new Map<string, Tied>();
  #isClosed = false;

  /** Its connection of this key that waits for the next request of this upstream, or `null`. */
  take(upstream: object, key: string): Connection | null {
    const { owner, connection } = this.#idle.get(key) ?? {};
    if (connection === undefined || owner !== upstream) {
      return null;
    }
    this.#idle.delete(key);
    if (connection.isIdle) {
      connection.socket.ref();
      return connection;
    }
    connection.destroy();
    return null;
  }

  put(upstream: object, key: string, connection: Connection): void {
    if (this.#isClosed || !connection.isIdle) {
      connection.destroy();
      return;
    }
    this.#drop(key);
    const [oldest] = this.#idle.keys();
    if (oldest !== undefined && this.#idle.size >= MAX_TIED) {
      this.#drop(oldest);
    }
    connection.socket.unref();
    this.#idle.set(key, { owner: upstream, connection });
  }

  /** Ends its connections; what is still under way ends when it is done. */
  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#idle.values()) {
      connection.destroy();
    }
    this.#idle.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #drop(key: string): void {
    this.#idle.get(key)?.connection.destroy();
    this.#idle.delete(key);
  }
}

/** Whether the caller signs on to the origin with this request, or was asked to, by a scheme that binds the connection. */
export function signsOnConnection(
  headers: readonly HeaderField[],
  { status, headers: answer }: ResponseHead,
): boolean {
  const sent = headers.filter(([name]) => name.toLowerCase() === 'authorization');
  const offers = status === 401 ? answer.all('WWW-Authenticate') : [];
  return parseChallenges([...sent.map(([, value]) => value), ...offers]).some(binds);
}

function binds(challenge: Challenge): boolean {
  return isScheme(challenge, 'NTLM') || isScheme(challenge, 'Negotiate');
}
