// How answers reach the client: the head's version, its packets, what the connection does behind it. Owns the habits of
// the wire; what is answered, and why, is decided elsewhere.
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpVersion, RequestHead } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { RefusalReason } from './acceptors/acceptor.ts';
import type { AnswerHead, OwnAnswer } from './answers.ts';
import { formatAnswerHead, splitAtToken } from './answers.ts';
import type { Habits } from './habits.ts';
import type { Exchange, ProxyRecord } from './record.ts';
import type { Decision } from './sign-on.ts';
import { writeTo } from './socket-io.ts';

const PACKET_GAP_MS = 5;

/** Writes the answers on one connection, and their lines in the log. */
export class AnswerWriter {
  readonly #socket: Socket;
  readonly #habits: Habits;
  readonly #record: ProxyRecord;

  constructor(
    socket: Socket,
    { habits, record }: { readonly habits: Habits; readonly record: ProxyRecord },
  ) {
    this.#socket = socket;
    this.#habits = habits;
    this.#record = record;
  }

  /** The version of the next answer. */
  version(): HttpVersion {
    return this.#habits.shows('http-1.0') ? '1.0' : '1.1';
  }

  /**
   * Sends an answer of the proxy itself, then reads what is left of the request.
   *
   * @returns whether the connection goes on
   */
  async page(exchange: Exchange, answer: OwnAnswer, reason?: RefusalReason): Promise<boolean> {
    const { request, decision } = exchange;
    const { head, body } = request;
    // A client that waits for 100 may send its body or not: nobody could tell where the next request is.
    const isAmbiguous = !body.isDone && head.headers.tokens('expect').includes('100-continue');
    const keepsOpen = !answer.closes && !isAmbiguous && isPersistent(head);
    const proof = decision.kind === 'pass' ? proofOf(decision) : [];
    this.log(exchange, answer.status, reason);
    await this.head(
      { ...answer, headers: [...proof, ...answer.headers] },
      { version: this.version(), keepsOpen },
      head.method === 'HEAD' ? null : answer.body,
    );
    if (keepsOpen) {
      await body.drain();
    }
    return keepsOpen;
  }

  /** @param behind goes out in one packet with the head, as far as it fits */
  async head(
    answer: AnswerHead,
    connection: { readonly version: HttpVersion; readonly keepsOpen: boolean },
    behind: Buffer | null,
  ): Promise<void> {
    const head = formatAnswerHead(answer, connection);
    const packets = this.#habits.shows('split-token') ? splitAtToken(head) : [head];
    const last = packets.pop() ?? head;
    for (const packet of packets) {
      await writeTo(this.#socket, packet);
      await delay(PACKET_GAP_MS);
    }
    await writeTo(this.#socket, behind === null ? last : Buffer.concat([last, behind]));
  }

  log(exchange: Exchange, status: number | null, reason?: RefusalReason): void {
    this.#record.write(exchange, reason ? { status, reason } : { status });
  }
}

/** A last token for the client, which goes with whatever answer the request gets. */
export function proofOf({ header, info }: Decision): HeaderField[] {
  return [
    ...(header === null ? [] : [['Proxy-Authenticate', header] as const]),
    ...(info === null ? [] : [['Proxy-Authentication-Info', info] as const]),
  ];
}

/** Whether the client lets the connection go on. */
export function isPersistent({ version, headers }: RequestHead): boolean {
  const options = [...headers.tokens('connection'), ...headers.tokens('proxy-connection')];
  return !options.includes('close') && (version === '1.1' || options.includes('keep-alive'));
}
