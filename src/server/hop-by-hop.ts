// What belongs to one hop and is not handed on (RFC 9110 section 7.6.1), and the `Via` that shows a loop. Owns these lists.
import { randomBytes } from 'node:crypto';
import type { HeaderField, HeaderList } from '../http1/header-list.ts';

const HOP_BY_HOP = new Set([
  ...['connection', 'proxy-connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'expect', 'proxy-authorization', 'proxy-authenticate'],
  'proxy-authentication-info',
]);

/** Names this process in `Via`, so that a request that comes back is known, by whatever other Sallyport it went. */
const PSEUDONYM = `sallyport-${randomBytes(6).toString('hex')}`;
export const VIA_VALUE = `1.1 ${PSEUDONYM}`;
export const VIA: HeaderField = ['Via', VIA_VALUE];

/**
 * The fields for the other side, without those of this hop and those `Connection` names.
 *
 * @param replaced a further one, in lower case, which is written anew
 */
export function endToEnd(headers: HeaderList, replaced?: string): HeaderField[] {
  const named = [...headers.tokens('connection'), ...headers.tokens('proxy-connection')];
  return headers.without(
    (name) => HOP_BY_HOP.has(name) || named.includes(name) || name === replaced,
  );
}

/** Whether this process has sent the request on before. */
export function hasLooped(headers: HeaderList): boolean {
  return headers.all('via').some((value) => value.includes(PSEUDONYM));
}
