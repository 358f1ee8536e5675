// The token of another Sallyport's local proxy, such as an outer `run`: it stands in that proxy's own URL, and goes no further than
// this machine.
import type { Identity } from '../auth/credentials.ts';
import type { ProxyAddress } from '../route/route.ts';

/** The user name in those URLs: `http://x:TOKEN@127.0.0.1:PORT`. */
const TOKEN_USER = 'x';
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i;

/** Whether Basic may go there, unencrypted: what is sent is no user's password, and was made for this proxy alone. */
export function isLoopbackToken(
  { host, user, password }: ProxyAddress,
  identity: Identity | null,
): boolean {
  return (
    LOOPBACK.test(host) &&
    identity?.kind === 'password' &&
    identity.typed === TOKEN_USER &&
    user === TOKEN_USER &&
    password?.reveal() === identity.password.reveal()
  );
}
