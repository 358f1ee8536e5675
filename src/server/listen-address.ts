// Where the local proxy listens. Owns the reading of `ADDRESS:PORT`, and which sockets that makes: loopback is always among them.
import { isIP } from 'node:net';
import { SallyportError } from '../errors/sallyport-error.ts';

export interface ListenAddress {
  /** Beside loopback; `null` for loopback alone. */
  readonly host: string | null;
  /** 0 for any that is free. */
  readonly port: number;
}

/** Programs resolve localhost to either. */
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/**
 * @param text `3128`, `127.0.0.1:3128`, `172.17.0.1:3128`, `[fd00::1]:3128`
 * @throws SallyportError OPTION_INVALID
 */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits = ''] =
    /^(?:(?:\[([0-9a-fA-F.:]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text.trim()) ?? [];
  const host = bracketed ?? plain ?? '127.0.0.1';
  const port = Number(digits);
  const isAddress = bracketed === undefined ? isIP(host) === 4 : isIP(host) === 6;
  if (digits === '' || port > 65_535 || !(isAddress || host === 'localhost')) {
    throw new SallyportError('OPTION_INVALID', `--listen: "${text}" is no address with a port`, {
      hint: 'Write 3128, or 172.17.0.1:3128, or [fd00::1]:3128.',
    });
  }
  return { host: isLoopback(host) ? null : host, port };
}

/** The addresses to bind: `0.0.0.0` and `::` hold those of loopback. */
export function addressesToBind(host: string | null): readonly string[] {
  if (host === null) {
    return LOOPBACK;
  }
  if (isIP(host) === 6 && isEveryAddress(host)) {
    return ['::'];
  }
  return isEveryAddress(host) ? [host, '::1'] : [...LOOPBACK, host];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function isEveryAddress(host: string): boolean {
  return /^[0:.]+$/.test(host);
}
