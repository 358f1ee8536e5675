// The addresses of the proxy's host, and its canonical name where that is another: Kerberos may want that one.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { errorWord } from '../../errors/error-word.ts';
import { SallyportError } from '../../errors/sallyport-error.ts';
import { canonicalName } from '../../native/canonical-name.ts';
import type { Check } from '../examination.ts';
import type { Finding } from '../findings.ts';
import { finding } from '../findings.ts';

export const proxyDnsCheck: Check = {
  id: 'proxy-address',
  doing: 'looking up the proxy',
  limitMs: 8000,
  isOnTheWay: true,
  skip: (exam) => exam.withoutProxy,
  run: async ({ proxy }) => {
    const host = proxy?.host ?? '';
    return isIP(host) === 0
      ? [await addresses(host), ...(await otherName(host))]
      : [isAddress(host)];
  },
};

async function addresses(host: string): Promise<Finding> {
  const found = await lookup(host, { all: true, verbatim: true }).catch((cause: unknown) => {
    throw unknown(host, cause);
  });
  const list = [...new Set(found.map(({ address }) => address))];
  return finding('proxy-address', 'ok', `${host} is ${list.join(', ')}`, {
    data: { host, addresses: list },
  });
}

function unknown(host: string, cause: unknown): SallyportError {
  return new SallyportError(
    'PROXY_UNREACHABLE',
    `The name service does not know ${host} (${errorWord(cause)})`,
    { cause, hint: 'Check the name of the proxy, and whether you are in its network (VPN).' },
  );
}

function isAddress(host: string): Finding {
  return finding('proxy-address', 'note', `The proxy is named by its address, ${host}`, {
    detail: ['Kerberos knows services by name: a ticket for an address is rarely to be had.'],
    data: { host, addresses: [host] },
  });
}

/** Not to be had without FFI, and no loss then. */
async function otherName(host: string): Promise<Finding[]> {
  const name = await canonicalName(host).catch(() => null);
  return name === null || name === host
    ? []
    : [
        finding('proxy-canonical-name', 'note', `The canonical name of ${host} is ${name}`, {
          data: { host, canonicalName: name },
        }),
      ];
}
