// Where a `serve` of this user listens, so that `env` finds it: a file in the state folder, gone with it. Owns that file; who
// may read it is this user alone, for the token stands in it.
import type { ProcessMark } from '../auth/logons/process-mark.ts';
import { isRunning, ownMark } from '../auth/logons/process-mark.ts';
import { StateFile } from '../auth/logons/state-file.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { StatePlace } from '../settings/state-path.ts';
import { findStatePlace } from '../settings/state-path.ts';

const FILE = 'serve.json';

interface Entry {
  readonly url: string;
  readonly mark: ProcessMark;
}

/**
 * Tells where this process listens, until `withdraw`.
 *
 * @returns takes it back, unless another server has told its place since
 * @throws SallyportError OUTPUT_FAILED when the file cannot be written
 */
export async function announceServer(
  url: string,
  place: StatePlace | undefined = findStatePlace(),
): Promise<() => Promise<void>> {
  if (place === undefined) {
    return async () => undefined;
  }
  const file = new StateFile(place, FILE);
  const own = JSON.stringify({ url, mark: ownMark() } satisfies Entry);
  await change(file, () => own);
  return () => change(file, (text) => (text === own ? '{}' : null));
}

/**
 * The address of the server of this user that runs, token included; `null` when none does.
 *
 * @throws SallyportError OUTPUT_FAILED when the file is not this user's
 */
export async function findServer(
  place: StatePlace | undefined = findStatePlace(),
): Promise<string | null> {
  if (place === undefined) {
    return null;
  }
  const file = new StateFile(place, FILE);
  const entry = parseEntry(
    await file.read().catch((cause) => Promise.reject(unusable(file, cause))),
  );
  return entry !== null && isRunning(entry.mark) !== false ? entry.url : null;
}

async function change(file: StateFile, update: (text: string) => string | null): Promise<void> {
  try {
    await file.change((text) => [update(text), undefined]);
  } catch (cause) {
    throw unusable(file, cause);
  }
}

function unusable({ path }: StateFile, cause: unknown): SallyportError {
  const words = cause instanceof Error ? cause.message : String(cause);
  return new SallyportError('OUTPUT_FAILED', `${path} cannot be used: ${words}`, {
    cause,
    hint: 'Remove it, or name another folder in SALLYPORT_STATE_DIR.',
  });
}

function parseEntry(text: string): Entry | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { url, mark } = (value ?? {}) as Partial<Entry>;
  const isMark =
    typeof mark?.pid === 'number' &&
    typeof mark.start === 'string' &&
    typeof mark.space === 'string';
  return typeof url === 'string' && URL.canParse(url) && isMark ? { url, mark } : null;
}
