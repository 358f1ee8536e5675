// The head of a client's request: read, and refused where two readers could understand it differently (RFC 9112 section 11.2).
// Owns these refusals; answers nothing.
import { SallyportError } from '../errors/sallyport-error.ts';
import { requestFraming } from '../http1/body.ts';
import type { RequestHead } from '../http1/head.ts';
import { parseRequestHead } from '../http1/head.ts';
import { HeadReader } from '../http1/head-reader.ts';
import type { Connection } from '../upstream/connection.ts';
import { ClientBody } from './client-body.ts';

/** A client that drips its head holds a connection of ours. */
const MAX_HEAD_MS = 30_000;
/** A keep-alive connection may rest as long as it likes: the client ends it, or goes away. */
const FOR_EVER_MS = Number.POSITIVE_INFINITY;

export interface ClientRequest {
  readonly head: RequestHead;
  readonly body: ClientBody;
}

/**
 * Reads the next request.
 *
 * @param onFirstByte is called when one has begun
 * @param headMs from then on until its head has come, in milliseconds
 * @returns `null` when the client has ended the connection between requests
 * @throws SallyportError RESPONSE_INVALID, HEAD_TOO_LARGE, TIMEOUT, CONNECTION_LOST (within a head)
 */
export async function readClientRequest(
  client: Connection,
  onFirstByte: () => void,
  headMs = MAX_HEAD_MS,
): Promise<ClientRequest | null> {
  const reader = new HeadReader();
  client.patienceMs = FOR_EVER_MS;
  client.allow(null);
  while (true) {
    const packet = await client.read();
    if (packet === null) {
      if (reader.isEmpty) {
        return null;
      }
      throw new SallyportError('CONNECTION_LOST', 'The client closed within a request head');
    }
    if (reader.isEmpty) {
      onFirstByte();
      client.allow(headMs, `took more than ${headMs / 1000} s over its request`);
    }
    const found = reader.push(packet);
    if (found !== null) {
      client.allow(null);
      client.unread(found.rest);
      const head = parseRequestHead(found.head);
      checkHead(head);
      return { head, body: new ClientBody(client, requestFraming(head), expectsContinue(head)) };
    }
  }
}

function checkHead({ method, version, headers }: RequestHead): void {
  if (headers.all('host').length > 1) {
    throw invalid('The request has two Host fields');
  }
  const isCoded = headers.first('transfer-encoding') !== undefined;
  if (isCoded && version === '1.0') {
    throw invalid('HTTP/1.0 knows no Transfer-Encoding');
  }
  if (method === 'CONNECT' && (isCoded || (headers.first('content-length') ?? '0') !== '0')) {
    throw invalid('CONNECT has no body');
  }
}

function invalid(text: string): SallyportError {
  return new SallyportError('RESPONSE_INVALID', text);
}

function expectsContinue({ version, headers }: RequestHead): boolean {
  return version === '1.1' && headers.tokens('expect').includes('100-continue');
}
