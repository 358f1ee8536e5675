// Two clients of one pool at an origin that signs connections on: the legs as a client would send them, and a pool that
// does not know what it hands on.
import type { AuthSession } from '../../src/auth/session.ts';
import type { RawClient } from '../embedded/raw-client.ts';

export interface OriginAnswer {
  readonly status: number;
  /** The `WWW-Authenticate` field. */
  readonly challenge: string | undefined;
}

/** Sends one request of a client, with these fields. */
export type Send = (headers: readonly (readonly [string, string])[]) => Promise<OriginAnswer>;

/** Goes through the legs of a session, as curl or a browser behind a proxy does. */
export async function signOnToOrigin(send: Send, auth: AuthSession): Promise<OriginAnswer> {
  let token = await auth.step(null);
  for (;;) {
    const credentials = `${auth.scheme} ${Buffer.from(token ?? []).toString('base64')}`;
    const answer = await send([['Authorization', credentials]]);
    const challenge = answer.challenge?.split(' ')[1];
    if (answer.status !== 401 || challenge === undefined || auth.complete) {
      return answer;
    }
    token = await auth.step(Buffer.from(challenge, 'base64'));
  }
}

/** What must not be built: whoever comes next gets the connection that was used last. */
export class NaivePool {
  readonly #idle: RawClient[];

  constructor(connections: readonly RawClient[]) {
    this.#idle = [...connections];
  }

  /** For any client. */
  sendTo(url: string): Send {
    return async (headers) => {
      const connection = this.#idle.pop();
      if (connection === undefined) {
        throw new Error('the pool is empty');
      }
      const fields = headers.map(([name, value]) => `${name}: ${value}`);
      const { head } = await connection.ask('GET', url, fields);
      this.#idle.push(connection);
      return { status: head.status, challenge: head.headers.first('www-authenticate') };
    };
  }
}
