// TLS with an https proxy: protocol, certificate, and why it is not trusted. Where it is not, a second connection reads the
// certificate and ends; no request goes over it.
import { isIP } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import type { SallyportError } from '../../errors/sallyport-error.ts';
import { isSallyportError } from '../../errors/sallyport-error.ts';
import type { Connection } from '../../upstream/connection.ts';
import { dialTcp } from '../../upstream/dial.ts';
import { dialOptions, dialProxy } from '../dial-proxy.ts';
import type { Check, Examination } from '../examination.ts';
import type { Finding } from '../findings.ts';
import { failed, finding } from '../findings.ts';

export const proxyTlsCheck: Check = {
  id: 'proxy-tls',
  doing: 'checking TLS with the proxy',
  limitMs: 15_000,
  isOnTheWay: true,
  skip: (exam) =>
    exam.withoutProxy ??
    (exam.proxy?.scheme === 'https' ? null : 'the proxy is spoken to in clear'),
  run: async (exam, signal) => {
    try {
      return [trusted(exam, await dialProxy(exam, signal))];
    } catch (error) {
      if (!isSallyportError(error) || error.code !== 'PROXY_TLS_FAILED') {
        throw error;
      }
      exam.stop = error;
      return [await untrusted(exam, error, signal)];
    }
  },
};

interface Certificate {
  readonly lines: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
}

function trusted(exam: Examination, connection: Connection): Finding {
  const tls = connection.socket as TLSSocket;
  const protocol = tls.getProtocol();
  const { lines, data } = describe(tls.getPeerCertificate());
  connection.destroy();
  return finding('proxy-tls', 'ok', `${exam.proxyName} speaks ${protocol} and is trusted`, {
    detail: lines,
    data: { protocol, trusted: true, ...data },
  });
}

async function untrusted(
  exam: Examination,
  error: SallyportError,
  signal: AbortSignal,
): Promise<Finding> {
  const seen = await certificateOf(exam, signal).catch(() => null);
  return failed('proxy-tls', error, {
    detail: seen?.lines ?? [],
    data: { trusted: false, ...seen?.data },
  });
}

async function certificateOf(exam: Examination, signal: AbortSignal): Promise<Certificate> {
  const { host = '', port = 0 } = exam.proxy ?? {};
  const peer = { role: 'proxy', name: exam.proxyName } as const;
  const socket = await dialTcp(host, port, peer, dialOptions(exam, signal));
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const tls = connect({ socket, host, ...servername, rejectUnauthorized: false });
  const end = (): void => void tls.destroy(new Error('its time is over'));
  signal.addEventListener('abort', end, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      tls.once('secureConnect', () => resolve(describe(tls.getPeerCertificate())));
      tls.on('error', reject).once('close', () => reject(new Error('it was closed')));
    });
  } finally {
    signal.removeEventListener('abort', end);
    tls.destroy();
  }
}

function describe({ subject, issuer, valid_to: validTo }: PeerCertificate): Certificate {
  const [of, by] = [nameOf(subject), nameOf(issuer)];
  return {
    lines: [`Its certificate is ${of}’s, issued by ${by}, valid until ${validTo}.`],
    data: { subject: of, issuer: by, validTo },
  };
}

function nameOf(name: PeerCertificate['subject'] | undefined): string {
  const { CN, O } = name ?? {};
  return String(CN ?? O ?? 'nobody');
}
