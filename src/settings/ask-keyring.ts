// One question to the keyring, by way of a process that can be ended. Owns the deadlines; what is asked is `keyring.ts`'s.
// The secret goes over the channel between the two, never in argv, environment or a file.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { keyringFailed, keyringRefused } from './keyring-errors.ts';
import type { KeyringAnswer, KeyringRequest } from './keyring-process.ts';

/** @throws SallyportError KEYRING_FAILED */
export type AskKeyring = (request: KeyringRequest) => Promise<KeyringOutcome>;

export interface KeyringOutcome {
  /** What is stored; `undefined` when nothing is. */
  readonly value?: string | undefined;
  /** Whether there was something to delete. */
  readonly found: boolean;
}

export interface AskOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly platform?: NodeJS.Platform | undefined;
  /** For the process to begin. */
  readonly startTimeoutMs?: number;
  /** For the keyring to be there at all. */
  readonly openTimeoutMs?: number;
  /** For its answer: it may be waiting for somebody to unlock it. */
  readonly answerTimeoutMs?: number;
  /** For tests. */
  readonly program?: string;
}

type KeyringOutcomeMessage = Exclude<KeyringAnswer, { kind: 'started' | 'opened' }>;

const PROCESS = fileURLToPath(new URL('./keyring-process.js', import.meta.url));
const START_TIMEOUT_MS = 10_000;
const OPEN_TIMEOUT_MS = 2_000;
const ANSWER_TIMEOUT_MS = 60_000;

/**
 * Asks, and resolves when the process has ended.
 *
 * @throws SallyportError KEYRING_FAILED
 */
export async function askKeyring(
  request: KeyringRequest,
  {
    env = process.env,
    platform = process.platform,
    startTimeoutMs = START_TIMEOUT_MS,
    openTimeoutMs = OPEN_TIMEOUT_MS,
    answerTimeoutMs = ANSWER_TIMEOUT_MS,
    program = PROCESS,
  }: AskOptions = {},
): Promise<KeyringOutcome> {
  const child = start(program, env, platform);
  const patience = { started: openTimeoutMs, opened: answerTimeoutMs };
  const end = (): void => void child.kill('SIGKILL');
  let timer = setTimeout(end, startTimeoutMs);
  let isOpen = false;
  const answer = await new Promise<KeyringOutcomeMessage | Error | null>((resolve) => {
    let outcome: KeyringOutcomeMessage | null = null;
    child.on('message', (said: KeyringAnswer) => {
      if (said.kind !== 'started' && said.kind !== 'opened') {
        outcome = said;
        return;
      }
      isOpen = said.kind === 'opened';
      clearTimeout(timer);
      timer = setTimeout(end, patience[said.kind]);
    });
    child.once('error', (error) => resolve(error));
    child.once('close', () => resolve(outcome));
    child.send(request, () => undefined);
  });
  clearTimeout(timer);
  return outcomeOf(answer, { isOpen, platform });
}

function outcomeOf(
  answer: KeyringOutcomeMessage | Error | null,
  { isOpen, platform }: { isOpen: boolean; platform: NodeJS.Platform },
): KeyringOutcome {
  if (answer instanceof Error) {
    throw notStarted(answer, platform);
  }
  switch (answer?.kind) {
    case 'value':
      return { value: answer.value ?? undefined, found: answer.value !== null };
    case 'done':
      return { found: answer.found };
    case 'missing':
      throw new SallyportError(
        'KEYRING_FAILED',
        'The optional package @napi-rs/keyring is not installed, or cannot be loaded here',
        {
          hint: 'Install Sallyport without --omit=optional, or give the password in SALLYPORT_PASSWORD.',
        },
      );
    case 'failed':
      throw keyringRefused(answer.reason, platform);
    default:
      throw keyringFailed(
        isOpen ? 'The keyring waited for somebody to unlock it' : 'The keyring does not answer',
        platform,
      );
  }
}

/** NODE_OPTIONS may load programs that sign on, and ask for the keyring in their turn. */
function start(program: string, env: NodeJS.ProcessEnv, platform: NodeJS.Platform): ChildProcess {
  const { NODE_OPTIONS: _, ...kept } = env;
  try {
    return fork(program, [], {
      env: kept,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  } catch (error) {
    throw notStarted(error, platform);
  }
}

function notStarted(error: unknown, platform: NodeJS.Platform): SallyportError {
  return errorWord(error) === 'ERR_ACCESS_DENIED'
    ? new SallyportError(
        'KEYRING_FAILED',
        'Node’s permission model forbids the process that opens the keyring',
        {
          cause: error,
          hint: 'Start node with --allow-child-process, or give the password in SALLYPORT_PASSWORD.',
        },
      )
    : keyringFailed(
        `The process that opens the keyring cannot start (${errorWord(error)})`,
        platform,
      );
}
