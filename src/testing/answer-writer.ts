// How answers reach the client: the head's version and first line, its packets, what breaks off. Owns the habits of the
// wire; what is answered, and why, is decided elsewhere.
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpVersion, RequestHead } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { RefusalReason } from './acceptors/acceptor.ts';
import type { AnswerHead, OwnAnswer } from './answers.ts';
import { formatAnswerHead, splitAtToken } from './answers.ts';
import type { Habits, SignOnAnswer } from './habits.ts';
import type { Exchange, ProxyRecord } from './record.ts';
import type { Decision } from './sign-on.ts';
import { ended, reset, writeTo } from './socket-io.ts';

/** What the head of an answer says about its connection. */
export interface AnswerConnection {
  readonly version: HttpVersion;
  readonly keepsOpen: boolean;
}

const PACKET_GAP_MS = 5;
const LONG_FIELD_BYTES = 8_192;
const BLANK_LINES = Buffer.from('\r\n\r\n', 'latin1');

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
    const isWhole = await this.head(
      exchange,
      { ...answer, headers: [...proof, ...answer.headers] },
      { version: this.version(), keepsOpen },
      head.method === 'HEAD' ? null : answer.body,
    );
    if (isWhole && keepsOpen) {
      await body.drain();
    }
    return isWhole && keepsOpen;
  }

  /**
   * Sends a head.
   *
   * @param behind goes out in one packet with the head, as far as it fits
   * @returns false when the answer was broken off, or the client has gone
   */
  async head(
    exchange: Exchange | null,
    answer: AnswerHead,
    connection: AnswerConnection,
    behind: Buffer | null,
  ): Promise<boolean> {
    const head = formatAnswerHead(this.#disfigured(answer), connection);
    const inFront = this.#habits.shows('blank-lines') ? BLANK_LINES : Buffer.alloc(0);
    const whole = Buffer.concat([inFront, head, behind ?? Buffer.alloc(0)]);
    if (exchange !== null && this.#cutsOff(exchange.decision)) {
      return this.#cutOff(whole);
    }
    if (this.#habits.shows('slow-drip')) {
      const { bytes, pauseMs } = this.#habits.parameters('slow-drip');
      return this.#packets(inPieces(whole, bytes), pauseMs);
    }
    return this.#packets(
      this.#habits.shows('split-token') ? splitAtToken(whole) : [whole],
      PACKET_GAP_MS,
    );
  }

  log(exchange: Exchange, status: number | null, reason?: RefusalReason): void {
    this.#record.write(exchange, reason ? { status, reason } : { status });
  }

  #disfigured(answer: AnswerHead): AnswerHead {
    const reason = this.#habits.shows('odd-reason')
      ? this.#habits.parameters('odd-reason').reason
      : answer.reason;
    const surplus = this.#habits.shows('large-head')
      ? longFields(this.#habits.parameters('large-head').bytes)
      : [];
    return { ...answer, reason, headers: [...surplus, ...answer.headers] };
  }

  #cutsOff(decision: Decision): boolean {
    return (
      answerTo(decision) === this.#habits.parameters('cut-answer').answer &&
      this.#habits.shows('cut-answer')
    );
  }

  async #cutOff(whole: Buffer): Promise<false> {
    const { bytes, by } = this.#habits.parameters('cut-answer');
    await writeTo(this.#socket, whole.subarray(0, bytes));
    if (by === 'silence') {
      await ended(this.#socket);
      return false;
    }
    if (by === 'reset') {
      // A reset right behind the bytes could overtake them.
      await delay(PACKET_GAP_MS);
      reset(this.#socket);
    }
    return false;
  }

  async #packets(packets: Iterable<Buffer>, gapMs: number): Promise<boolean> {
    let isFirst = true;
    for (const packet of packets) {
      if (!isFirst) {
        await delay(gapMs);
      }
      isFirst = false;
      if (!(await writeTo(this.#socket, packet))) {
        return false;
      }
    }
    return true;
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

/** Which of a sign-on's answers this decision leads to. */
function answerTo({ kind, leg, reason }: Decision): SignOnAnswer | null {
  if (kind === 'challenge') {
    return 'challenge';
  }
  if (reason === 'no-credentials') {
    return 'offers';
  }
  return leg === 'final' ? 'verdict' : null;
}

function* inPieces(whole: Buffer, bytes: number): Generator<Buffer> {
  for (let at = 0; at < whole.length; at += bytes) {
    yield whole.subarray(at, at + bytes);
  }
}

function longFields(bytes: number): HeaderField[] {
  const value = 'x'.repeat(LONG_FIELD_BYTES);
  return Array.from({ length: Math.ceil(bytes / LONG_FIELD_BYTES) }, (_, index) => [
    `X-Long-${index}`,
    value,
  ]);
}
