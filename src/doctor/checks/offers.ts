// What the proxy asks for: one request without credentials, as `get` would begin. Answers nothing.
import type { Framing } from '../../http1/body.ts';
import { isPersistent, responseFraming } from '../../http1/body.ts';
import { parseChallenges } from '../../http1/challenges.ts';
import type { ResponseHead } from '../../http1/head.ts';
import { formatRequestHead } from '../../http1/head.ts';
import { VERSION } from '../../observe/version.ts';
import type { Connection } from '../../upstream/connection.ts';
import { dialProxy } from '../dial-proxy.ts';
import type { Check, Examination } from '../examination.ts';
import type { Finding } from '../findings.ts';
import { finding } from '../findings.ts';

/** A 407's page is read up to this size, to see whether the connection can go on. */
const MAX_DRAIN_BYTES = 1_048_576;
/** They say what kind of proxy this is. */
const TELLING = ['Server', 'Via', 'Proxy-Agent'];

export const offersCheck: Check = {
  id: 'proxy-offers',
  doing: 'asking the proxy without credentials',
  limitMs: 20_000,
  isOnTheWay: true,
  skip: (exam) => exam.withoutProxy,
  run: async (exam, signal) => {
    const connection = await dialProxy(exam, signal);
    const abort = (): void => connection.fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const head = await ask(exam, connection);
      const framing = responseFraming(head, exam.request.method);
      return head.status === 407
        ? challenged(exam, head, await keepsOpen(connection, head, framing))
        : [passed(exam, head)];
    } finally {
      signal.removeEventListener('abort', abort);
      connection.destroy();
    }
  },
};

async function ask(exam: Examination, connection: Connection): Promise<ResponseHead> {
  const { method, target } = exam.request;
  connection.patienceMs = exam.settings.handshakeTimeoutMs;
  connection.writeHead(
    formatRequestHead({
      method,
      target,
      headers: [
        ['Host', method === 'CONNECT' ? target : exam.url.host],
        ['User-Agent', `sallyport/${VERSION}`],
        ['Proxy-Connection', 'Keep-Alive'],
      ],
    }),
  );
  return connection.readHead();
}

async function keepsOpen(
  connection: Connection,
  head: ResponseHead,
  framing: Framing,
): Promise<boolean> {
  const promises = isPersistent(head, 'proxy') && framing.kind !== 'until-close';
  return promises && (await connection.drain(framing, MAX_DRAIN_BYTES).catch(() => false));
}

function challenged(exam: Examination, head: ResponseHead, keeps: boolean): Finding[] {
  const offers = parseChallenges(head.headers.all('Proxy-Authenticate')).map(
    ({ scheme }) => scheme,
  );
  exam.offers = offers;
  const { proxyName } = exam;
  const asked =
    offers.length === 0
      ? finding('proxy-offers', 'problem', `${proxyName} answers 407 but names no scheme`)
      : finding('proxy-offers', 'ok', `${proxyName} asks for sign-on: ${offers.join(', ')}`);
  return [
    {
      ...asked,
      detail: tellingLines(head),
      data: { request: exam.requestName, status: head.status, offers },
    },
    keeps
      ? finding('proxy-keeps-connection', 'ok', 'It keeps the connection open for the sign-on', {
          data: { keeps },
        })
      : finding('proxy-keeps-connection', 'note', 'It closes the connection behind its 407', {
          detail: ['That is no fault: the sign-on begins on a second connection.'],
          data: { keeps },
        }),
  ];
}

/** No sign-on was asked for; whether the request may pass is the last check's to say. */
function passed(exam: Examination, head: ResponseHead): Finding {
  exam.offers = [];
  const { status, reason } = head;
  return finding(
    'proxy-offers',
    'note',
    `${exam.proxyName} asks for no sign-on: ${`${status} ${reason}`.trim()}`,
    { detail: tellingLines(head), data: { request: exam.requestName, status, offers: [] } },
  );
}

function tellingLines({ headers }: ResponseHead): string[] {
  return TELLING.flatMap((name) => headers.all(name).map((value) => `${name}: ${value}`));
}
