// The near side of `gssapi-child.mjs`: a security context that lives in a process of its own, with an environment of its
// own. Owns the process and its end.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { NativeStatus } from '../../src/errors/sallyport-error.ts';
import type {
  ContextMechanism,
  ContextRequest,
  SecurityContext,
} from '../../src/native/security-context.ts';
import { LAB } from './lab.ts';

const CHILD = fileURLToPath(new URL('gssapi-child.mjs', import.meta.url));
/** Where the product was built; another folder while something else is being built there. */
const DIST = process.env['SALLYPORT_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url));

/** What the child tells of a failure. */
class RemoteError extends Error {
  readonly code: string | undefined;
  readonly hint: string | undefined;
  readonly native: NativeStatus | undefined;

  constructor({ code, message, hint, native }: Partial<RemoteError>) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.native = native;
  }
}

interface Answer {
  readonly error?: Partial<RemoteError>;
  readonly token?: string | null;
  readonly description?: string;
  readonly packages?: readonly string[];
  /** Bytes. */
  readonly memory?: readonly number[];
  readonly outcomes?: readonly string[];
  readonly outcome?: string | null;
  readonly waitedMs?: number;
  readonly heldUpMs?: number;
  readonly complete?: boolean;
  readonly mechanism?: ContextMechanism | null;
  readonly serverProved?: boolean;
  readonly principal?: string | null;
}

/** A process with one GSSAPI and one environment; `close` ends it and tells how it ended. */
export class RemoteGssapi {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #closed: Promise<unknown[]>;
  #errors = '';

  /** @param library empty for the usual one */
  constructor(library: string, environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(
      process.execPath,
      ['--expose-gc', '--max-semi-space-size=1', CHILD, library, `${pathToFileURL(DIST).href}/`],
      { env: { PATH: process.env['PATH'] ?? '', ...LAB.environment, ...environment } },
    );
    this.#closed = once(this.#child, 'close');
    this.#child.stderr.on('data', (piece: Buffer) => {
      this.#errors += piece.toString();
    });
    this.#child.stdin.on('error', () => undefined);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws RemoteError as the child threw; Error when it died */
  async ask(action: string, input: object = {}): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify({ action, ...input })}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) {
      const [code, signal] = await this.#closed;
      throw new Error(`the process with GSSAPI died: ${code ?? signal} ${this.#errors}`);
    }
    const answer = JSON.parse(value) as Answer;
    if (answer.error !== undefined) {
      throw Object.assign(new RemoteError(answer.error), { answer });
    }
    return answer;
  }

  /** One at a time. */
  async createContext(request: ContextRequest): Promise<RemoteContext> {
    const { channelBindings, ...rest } = request;
    await this.ask('create', {
      request: { ...rest, channelBindings: hex(channelBindings) },
    });
    return new RemoteContext(this);
  }

  /** @returns exit code, or the signal that ended it */
  async close(): Promise<number | string> {
    this.#child.stdin.end();
    const [code, signal] = (await this.#closed) as [number | null, string | null];
    return code ?? signal ?? 'unknown';
  }
}

export class RemoteContext implements SecurityContext {
  complete = false;
  mechanism: ContextMechanism | null = null;
  serverProved = false;
  principal: string | null = null;
  readonly #remote: RemoteGssapi;

  constructor(remote: RemoteGssapi) {
    this.#remote = remote;
  }

  async step(token: Uint8Array | null): Promise<Uint8Array | null> {
    const answer = await this.#remote.ask('step', { token: hex(token) });
    this.complete = answer.complete ?? false;
    this.mechanism = answer.mechanism ?? null;
    this.serverProved = answer.serverProved ?? false;
    this.principal = answer.principal ?? null;
    return typeof answer.token === 'string' ? Buffer.from(answer.token, 'hex') : null;
  }

  async end(): Promise<void> {
    await this.#remote.ask('dispose');
  }

  /** The process ends with all it has; `end` is for those who go on. */
  [Symbol.dispose](): void {}
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
}
