// Requests in absolute-form (RFC 9112 section 3.2.2): to the origin and back, streaming, without what belongs
// to one hop. One agent per client connection keeps the origin's connection with it.
import type { Agent, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpVersion } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import { HeaderList } from '../http1/header-list.ts';
import { chunk } from './answers.ts';
import type { ClientRequest } from './client-request.ts';
import { writeTo } from './socket-io.ts';

/** What came back, and the upload that may still be going on. */
export interface OriginExchange {
  /** `null`: the origin cannot be reached, or broke off before an answer. */
  readonly response: IncomingMessage | null;
  /** Settles when the client's body was read to its end. */
  readonly uploaded: Promise<void>;
}

const HOP_BY_HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'proxy-authorization',
  'proxy-authenticate',
]);
const VIA = '1.1 corporate-proxy';

/** Sends a request on to its origin and waits for the head of the answer. */
export async function sendToOrigin(
  { head, body }: ClientRequest,
  url: URL,
  { client, agent }: { readonly client: Socket; readonly agent: Agent },
): Promise<OriginExchange> {
  const fields = endToEnd(head.headers);
  if (head.headers.first('host') === undefined) {
    fields.push(['Host', url.host]);
  }
  if (body.framing.kind === 'chunked') {
    fields.push(['Transfer-Encoding', 'chunked']);
  } else if (body.framing.kind === 'none' && /^(?:POST|PUT|PATCH)$/.test(head.method)) {
    fields.push(['Content-Length', '0']);
  }
  const upstream = httpRequest({
    agent,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || 80,
    method: head.method,
    path: `${url.pathname}${url.search}`,
    headers: [...fields, ['Via', VIA] as const].flat(),
  });
  const giveUp = () => upstream.destroy();
  client.once('close', giveUp);
  upstream.once('close', () => client.removeListener('close', giveUp));
  const answered = new Promise<IncomingMessage | null>((resolve) => {
    upstream.once('response', resolve);
    upstream.on('error', () => resolve(null));
    upstream.once('close', () => resolve(null));
  });

  const uploaded = upload({ head, body }, upstream, client);
  return { response: await answered, uploaded };
}

/** The head fields of an origin's answer for the client, framing included, and how its body is to be sent. */
export function relayedHeaders(
  response: IncomingMessage,
  {
    method,
    version,
    passes407,
  }: {
    readonly method: string;
    readonly version: HttpVersion;
    /** Leaves the origin's `Proxy-Authenticate` in, which belongs to one hop. */
    readonly passes407: boolean;
  },
): {
  readonly fields: HeaderField[];
  readonly framing: 'none' | 'as-announced' | 'chunked' | 'until-close';
} {
  const status = response.statusCode ?? 0;
  const received = new HeaderList(pairs(response.rawHeaders));
  const fields = endToEnd(received);
  fields.push(['Via', VIA]);
  if (passes407) {
    fields.push(...received.fields.filter(([name]) => /^proxy-authenticate$/i.test(name)));
  }
  if (status === 401 && startsSessionSignOn(received) && !received.first('proxy-support')) {
    // RFC 4559 section 6: this proxy does keep one origin connection per client connection.
    fields.push(['Proxy-Support', 'Session-Based-Authentication']);
  }
  if (method === 'HEAD' || status === 204 || status === 304) {
    return { fields, framing: 'none' };
  }
  if (received.first('content-length') !== undefined) {
    return { fields, framing: 'as-announced' };
  }
  if (version === '1.0') {
    return { fields, framing: 'until-close' };
  }
  fields.push(['Transfer-Encoding', 'chunked']);
  return { fields, framing: 'chunked' };
}

/** Streams the body of an answer. Returns `false` when either side broke off within it. */
export async function relayBody(
  response: IncomingMessage,
  client: Socket,
  isChunked: boolean,
): Promise<boolean> {
  try {
    for await (const data of response) {
      if (!(await writeTo(client, isChunked ? chunk(data) : data))) {
        return false;
      }
    }
  } catch {
    return false;
  }
  return isChunked ? writeTo(client, '0\r\n\r\n') : true;
}

async function upload(
  { head, body }: ClientRequest,
  upstream: ReturnType<typeof httpRequest>,
  client: Socket,
): Promise<void> {
  if (!body.isDone && head.headers.tokens('expect').includes('100-continue')) {
    await writeTo(client, 'HTTP/1.1 100 Continue\r\n\r\n');
  }
  try {
    for await (const piece of body) {
      // Once the origin has gone or answered early, the rest is only read to find its end.
      await writeTo(upstream, piece);
    }
    upstream.end();
  } catch {
    client.destroy();
    upstream.destroy();
  }
}

function endToEnd(headers: HeaderList): HeaderField[] {
  const named = new Set([...headers.tokens('connection'), ...headers.tokens('proxy-connection')]);
  return headers.fields.filter(([name]) => {
    const lower = name.toLowerCase();
    return !HOP_BY_HOP.has(lower) && !named.has(lower);
  });
}

function startsSessionSignOn(headers: HeaderList): boolean {
  return headers
    .all('www-authenticate')
    .some((value) => /(?:^|,)\s*(?:NTLM|Negotiate)\b/i.test(value));
}

function pairs(raw: readonly string[]): HeaderField[] {
  return raw.flatMap((name, index): HeaderField[] =>
    index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : [],
  );
}
