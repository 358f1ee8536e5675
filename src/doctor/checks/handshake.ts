// The real thing: one request with sign-on through the engine, as `get` sends it. Owns the story of its legs. At most one
// sign-on: the engine's gate holds here as everywhere.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { SallyportError } from '../../errors/sallyport-error.ts';
import type { ChoiceEvent, LegEvent } from '../../observe/events.ts';
import { EVENT_NAMES } from '../../observe/events.ts';
import { targetName } from '../../upstream/target.ts';
import { Upstream } from '../../upstream/upstream.ts';
import type { Check, Examination, Passage } from '../examination.ts';
import type { Finding } from '../findings.ts';
import { asError, failed, finding } from '../findings.ts';

export const handshakeCheck: Check = {
  id: 'handshake',
  doing: 'signing on',
  limitMs: 40_000,
  isOnTheWay: true,
  skip: reasonToSkip,
  run: async (exam, signal) => {
    const story = new Story(exam.proxyName);
    try {
      exam.passage = await pass(exam, signal);
      return [passed(exam, exam.passage, story)];
    } catch (thrown) {
      const error = asError(thrown);
      exam.stop = error;
      return [failed('handshake', error, story.extra(exam))];
    } finally {
      story.end();
    }
  },
};

/** An address that was asked about is tried directly, too. */
function reasonToSkip({ route, stop, isAsked, target, withoutProxy }: Examination): string | null {
  if (route?.kind !== 'direct' || stop !== null) {
    return withoutProxy;
  }
  return isAsked ? null : `${targetName(target)} is but an example, and is not contacted`;
}

/** @throws SallyportError when the way does not lead to the target */
async function pass(exam: Examination, signal: AbortSignal): Promise<Passage> {
  // The origin's own sign-on is no subject here: one sign-on only.
  await using upstream = new Upstream({ ...exam.settings, isTrustedOrigin: () => false });
  const started = performance.now();
  const through =
    exam.route?.kind === 'proxy' && exam.request.method !== 'CONNECT'
      ? await forwarded(exam, upstream, signal)
      : await tunnelled(exam, upstream, signal);
  return { ...through, elapsedMs: Math.round(performance.now() - started) };
}

type Through = Omit<Passage, 'elapsedMs'>;

async function tunnelled(
  exam: Examination,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<Through> {
  const { status, reason, refusal, scheme, identity, legs, socket } = await upstream.connect(
    exam.target,
    { signal },
  );
  socket.on('error', () => undefined).destroy();
  if (status >= 200 && status < 300) {
    return { scheme, identity, legs };
  }
  throw refusal ?? refused(exam, scheme === null ? null : identity, { status, reason });
}

/** What a web server answers to a CONNECT. */
const NO_PROXY_STATUSES = new Set([400, 404, 405, 501]);

/** The sign-on was good, or was not asked for: it is about the address. */
function refused(
  { proxyName, target, isAsked }: Examination,
  accepted: string | null,
  { status, reason }: { status: number; reason: string },
): SallyportError {
  const but = accepted === null ? '' : ` accepted ${accepted}, but`;
  const what = `${proxyName}${but} refused to connect to ${targetName(target)}`;
  return new SallyportError('PROXY_REFUSED', `${what}: ${`${status} ${reason}`.trim()}`, {
    hint: refusedHint(status, accepted === null, isAsked),
  });
}

function refusedHint(status: number, isUnasked: boolean, isAsked: boolean): string {
  if (isUnasked && NO_PROXY_STATUSES.has(status)) {
    return 'A web server answers like this. Check address and port of the proxy.';
  }
  return isAsked
    ? 'It forbids this address, or cannot reach it. Ask the people who run it.'
    : 'That was but an example, which may be forbidden here: name an address that people use, sallyport doctor https://...';
}

async function forwarded(
  { url, proxyName }: Examination,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<Through> {
  const response = await upstream.request(url, { method: 'HEAD', signal });
  const { status, reason, scheme, identity, legs } = response;
  response.body.on('error', () => undefined).destroy();
  if (status === 403 || status >= 500) {
    throw new SallyportError(
      'HTTP_STATUS',
      `The answer for ${url.host} is ${`${status} ${reason}`.trim()}, by that server or by ${proxyName}`,
      { hint: 'The sign-on is not the reason. The address is forbidden, or cannot be reached.' },
    );
  }
  return { scheme, identity, legs };
}

function passed(exam: Examination, passage: Passage, story: Story): Finding {
  const { scheme, identity, elapsedMs, legs } = passage;
  const took = `${legs === 1 ? '1 request' : `${legs} requests`}, ${elapsedMs} ms`;
  if (exam.proxy === null) {
    return finding(
      'handshake',
      'ok',
      `${targetName(exam.target)} takes connections (${elapsedMs} ms)`,
    );
  }
  const by = scheme === null ? 'without sign-on' : `as ${identity ?? 'somebody'} by ${scheme}`;
  return finding('handshake', 'ok', `The proxy lets this through ${by} (${took})`, {
    ...story.extra(exam),
    data: { request: exam.requestName, ...passage },
  });
}

/** What the engine tells of this proxy while it works; never a byte of a token. */
class Story {
  readonly #lines: string[] = [];
  readonly #host: string;
  readonly #onLeg = (message: unknown): void => this.#leg(message as LegEvent);
  readonly #onChoice = (message: unknown): void => this.#choice(message as ChoiceEvent);

  constructor(host: string) {
    this.#host = host;
    subscribe(EVENT_NAMES.leg, this.#onLeg);
    subscribe(EVENT_NAMES.choice, this.#onChoice);
  }

  end(): void {
    unsubscribe(EVENT_NAMES.leg, this.#onLeg);
    unsubscribe(EVENT_NAMES.choice, this.#onChoice);
  }

  extra(exam: Examination): { detail: readonly string[]; data: Record<string, unknown> } {
    const asked =
      exam.proxy === null ? [] : [`${exam.requestName}, where the proxy then connects:`];
    return { detail: [...asked, ...this.#lines], data: { request: exam.requestName } };
  }

  #leg({ host, sent, status, offered, tokenBytes }: LegEvent): void {
    if (host !== this.#host) {
      return;
    }
    const offers = offered.proxy ?? [];
    const { sent: out, received: back } = tokenBytes;
    this.#lines.push(
      `> ${sent.proxy === undefined ? 'without credentials' : `with ${sent.proxy} credentials`}${sizeOf(out.proxy)}`,
      `< ${status}${offers.length === 0 ? '' : `, offers ${offers.join(', ')}`}${sizeOf(back.proxy)}`,
    );
  }

  #choice({ host, chosen, reason }: ChoiceEvent): void {
    if (host === this.#host) {
      this.#lines.push(`* ${chosen ?? 'gave up'}: ${reason}`);
    }
  }
}

/** Of a token; what is in it is nobody's business. */
function sizeOf(bytes: number | undefined): string {
  return bytes === undefined ? '' : ` (${bytes} bytes)`;
}
