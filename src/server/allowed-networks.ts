// Who may connect when the port is open to more than this machine: networks in CIDR form. Owns their reading, and the refusal
// of everybody else before a byte is read.
import { BlockList, isIP } from 'node:net';
import { SallyportError } from '../errors/sallyport-error.ts';

export interface AllowedNetworks {
  /** @param address as `socket.remoteAddress` has it: an IPv4 address may be mapped into IPv6 */
  has(address: string | undefined): boolean;
}

/**
 * Loopback and the given networks.
 *
 * @param words such as `172.17.0.0/16`, `fd00::/8`, or one address
 * @throws SallyportError OPTION_INVALID
 */
export function allowedNetworks(words: readonly string[]): AllowedNetworks {
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addAddress('::1', 'ipv6');
  for (const word of words) {
    addNetwork(list, word);
  }
  return {
    has: (address = '') => {
      // A link-local address brings its interface along.
      const plain = address.replace(/%.*$/, '');
      const family = isIP(plain);
      return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
    },
  };
}

function addNetwork(list: BlockList, word: string): void {
  const [, address = '', digits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(word) ?? [];
  const family = isIP(address);
  const width = family === 4 ? 32 : 128;
  const prefix = digits === undefined ? width : Number(digits);
  if (family === 0 || prefix > width) {
    throw invalid(`--allow: "${word}" is no network`);
  }
  if (prefix === 0) {
    throw invalid(`--allow: ${word} is everybody`);
  }
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
}

function invalid(message: string): SallyportError {
  return new SallyportError('OPTION_INVALID', message, {
    hint: 'Give networks such as 172.17.0.0/16 or fd00::/8, with commas between them.',
  });
}
