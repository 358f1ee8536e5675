// The stage of the tests that look at habits on the wire: a proxy of given habits, and the first steps of a client on a
// bare socket.
import type { CorporateProxy, Habit } from '../../src/testing/index.ts';
import { createCorporateProxy } from '../../src/testing/index.ts';
import { ALICE } from './network.ts';
import type { RawClient, RawResponse } from './raw-client.ts';
import { session, signOn } from './raw-client.ts';

/** Offers NTLM to alice. */
export function proxyWith(...habits: Habit[]): Promise<CorporateProxy> {
  return createCorporateProxy({ schemes: ['NTLM'], users: [ALICE], habits });
}

/** Signs alice on by NTLM for one request. */
export async function signOnTo(
  client: RawClient,
  target: string,
  method = 'GET',
): Promise<RawResponse> {
  using auth = await session('ntlm');
  return await signOn(client, auth, [method, target]);
}

/** Sends the first leg of NTLM alone. */
export async function askFirst(client: RawClient, target: string): Promise<RawResponse> {
  return client.ask('GET', target, [`Proxy-Authorization: ${await firstLeg()}`]);
}

export async function firstLeg(): Promise<string> {
  using auth = await session('ntlm');
  return `NTLM ${base64(await auth.step(null))}`;
}

export function base64(token: Uint8Array | null): string {
  return Buffer.from(token ?? []).toString('base64');
}
