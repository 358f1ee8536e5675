// Signs on, abandons and insults contexts of an SSPI as it is told on standard input; a line of JSON for each action.
// Runs on Windows Node under Wine and, with WinPR, on this machine's.
import { once } from 'node:events';
import { connect } from 'node:net';
import { json, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSallyportError } from '../../../src/errors/sallyport-error.ts';
import type { ContextRequest, SecurityProvider } from '../../../src/native/security-context.ts';
import { loadSspi } from '../../../src/native/sspi.ts';
import { signOnRaw } from '../raw-sign-on.ts';

/** A request without its bytes, which JSON has no word for; they are in hex. */
export type SspiRequest = Omit<ContextRequest, 'channelBindings'> & {
  readonly channelBindings: string | null;
};

export type SspiAction =
  | {
      readonly action: 'signOn';
      readonly name: string;
      readonly request: SspiRequest;
      readonly scheme: 'Negotiate' | 'NTLM';
      readonly proxy: { readonly host: string; readonly port: number; readonly ca?: string };
      /** The proxy is asked without a token first, and closes. */
      readonly closes?: boolean;
      /** `CONNECT host:port`, or `GET http://...` */
      readonly target: string;
    }
  | {
      readonly action: 'abandon';
      readonly name: string;
      readonly request: SspiRequest;
      readonly rounds: number;
      /** In hex; what every other context is given behind its first token. */
      readonly token: string | null;
    }
  | {
      readonly action: 'answer';
      readonly name: string;
      readonly request: SspiRequest;
      /** A challenge, in hex. */
      readonly token: string;
    }
  | {
      /** Begins a sign-on and gives it up; the process ends itself behind it. */
      readonly action: 'giveUp';
      readonly name: string;
      readonly request: SspiRequest;
      readonly afterMs: number;
    }
  | {
      readonly action: 'hostile';
      readonly name: string;
      readonly request: SspiRequest;
      readonly tokens: readonly string[];
    };

export interface SspiOrder {
  readonly library?: string;
  readonly actions: readonly SspiAction[];
}

export interface SspiOutcome {
  readonly name: string;
  readonly description: string;
  readonly statuses?: readonly number[];
  readonly mechanism?: string | null;
  readonly principal?: string | null;
  readonly complete?: boolean;
  readonly serverProved?: boolean;
  /** How the event loop fared meanwhile; turns of a timer of 10 ms, and its longest pause. */
  readonly turns?: number;
  readonly longestPauseMs?: number;
  /** What a challenge was answered with, in hex. */
  readonly answer?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly symbol?: string };
  /** Bytes of the process, after each tenth of the rounds. */
  readonly memory?: readonly number[];
  /** For each token: an error's code, `token`, or `nothing`. */
  readonly outcomes?: readonly string[];
  readonly ms: number;
}

void main();

async function main(): Promise<void> {
  const { library, actions } = (await json(process.stdin)) as SspiOrder;
  const provider = loadSspi(library);
  for (const action of actions) {
    const begin = performance.now();
    const outcome = await perform(provider, action).catch((error: unknown) => ({
      error: describe(error),
    }));
    const { name } = action;
    const { description } = provider;
    const line = { name, description, ...outcome, ms: Math.round(performance.now() - begin) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

function perform(provider: SecurityProvider, action: SspiAction) {
  switch (action.action) {
    case 'signOn':
      return signOn(provider, action);
    case 'abandon':
      return abandon(provider, action);
    case 'answer':
      return answerChallenge(provider, action);
    case 'giveUp':
      return giveUp(provider, action);
    case 'hostile':
      return insult(provider, action);
  }
}

async function signOn(
  provider: SecurityProvider,
  { request, scheme, proxy, closes, target }: Extract<SspiAction, { action: 'signOn' }>,
) {
  const before = closes === true ? [await askWithoutToken(proxy, target)] : [];
  const context = provider.createContext(contextRequest(request));
  try {
    const { statuses } = await signOnRaw({ proxy, scheme, context, request: target });
    const { mechanism, principal, complete, serverProved } = context;
    return {
      statuses: [...before, ...statuses],
      mechanism,
      principal,
      complete,
      serverProved,
    };
  } finally {
    context[Symbol.dispose]();
  }
}

/** The status of the answer, which ends with the connection. */
async function askWithoutToken(
  { host, port }: { readonly host: string; readonly port: number },
  line: string,
): Promise<number> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  socket.write(`${line} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return Number((await text(socket)).slice(9, 12));
}

/** Every third is disposed while its call is under way, every third behind its first token, every third behind a second. */
async function abandon(
  provider: SecurityProvider,
  { request, rounds, token }: Extract<SspiAction, { action: 'abandon' }>,
) {
  const memory: number[] = [];
  const errors = new Set<string>();
  for (let round = 1; round <= rounds; round += 1) {
    const context = provider.createContext(contextRequest(request));
    const first = context.step(null).catch((error: unknown) => errors.add(describe(error).code));
    if (round % 3 !== 0) {
      await first;
    }
    if (round % 3 === 1 && token !== null) {
      const answer = Buffer.from(token, 'hex');
      await context.step(answer).catch((error: unknown) => errors.add(describe(error).code));
    }
    context[Symbol.dispose]();
    await first;
    if (round % (rounds / 10) === 0) {
      globalThis.gc?.();
      memory.push(process.memoryUsage.rss());
    }
  }
  return { memory, outcomes: [...errors] };
}

async function answerChallenge(
  provider: SecurityProvider,
  { request, token }: Extract<SspiAction, { action: 'answer' }>,
) {
  const context = provider.createContext(contextRequest(request));
  try {
    await context.step(null);
    const final = await context.step(Buffer.from(token, 'hex'));
    return { answer: Buffer.from(final ?? []).toString('hex') };
  } finally {
    context[Symbol.dispose]();
  }
}

async function giveUp(
  provider: SecurityProvider,
  { request, afterMs }: Extract<SspiAction, { action: 'giveUp' }>,
) {
  const context = provider.createContext(contextRequest(request));
  const begin = performance.now();
  let isOver = false;
  void context.step(null).then(
    () => (isOver = true),
    () => (isOver = true),
  );
  let [turns, longestPauseMs, last] = [0, 0, begin];
  while (performance.now() - begin < afterMs && !isOver) {
    await sleep(10);
    const now = performance.now();
    longestPauseMs = Math.max(longestPauseMs, Math.round(now - last));
    last = now;
    turns += 1;
  }
  context[Symbol.dispose]();
  // Node waits for its threads when it ends in peace, and the library waits for half a minute.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100);
  return isOver ? {} : { turns, longestPauseMs };
}

async function insult(
  provider: SecurityProvider,
  { request, tokens }: Extract<SspiAction, { action: 'hostile' }>,
) {
  const outcomes: string[] = [];
  for (const token of tokens) {
    const context = provider.createContext(contextRequest(request));
    await context.step(null);
    outcomes.push(
      await context.step(Buffer.from(token, 'hex')).then(
        (next) => (next === null ? 'nothing' : 'token'),
        (error: unknown) => describe(error).code,
      ),
    );
    context[Symbol.dispose]();
  }
  return { outcomes };
}

function contextRequest(request: SspiRequest): ContextRequest {
  const { channelBindings } = request;
  return {
    ...request,
    channelBindings: channelBindings === null ? null : Buffer.from(channelBindings, 'hex'),
  };
}

function describe(error: unknown): { code: string; message: string; symbol?: string } {
  if (!isSallyportError(error)) {
    return { code: 'no code', message: String(error) };
  }
  const { code, message, native } = error as {
    code: string;
    message: string;
    native?: { symbol: string };
  };
  return { code, message, ...(native === undefined ? {} : { symbol: native.symbol }) };
}
