// The process that opens the keyring for `keyring.ts`. Owns the package and nothing else: a D-Bus that is silent or a
// question nobody answers blocks this thread for good, so that it must be one that can be ended.
import { errorWord } from '../errors/error-word.ts';

/** Comes as the one message of the parent. */
export interface KeyringRequest {
  readonly action: 'open' | 'read' | 'write' | 'delete';
  readonly service: string;
  readonly account: string;
  /** What to write. */
  readonly value?: string;
}

/** First `started`, then `opened` unless the keyring cannot be, then the outcome. */
export type KeyringAnswer =
  | { readonly kind: 'started' }
  | { readonly kind: 'opened' }
  | { readonly kind: 'value'; readonly value: string | null }
  | { readonly kind: 'done'; readonly found: boolean }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly reason: string };

process.once('message', (request: KeyringRequest) => {
  tell({ kind: 'started' });
  void serve(request).then((answer) => tell(answer, () => process.disconnect()));
});

// With the parent gone, or told, nothing is left to do; the package may still wait for somebody.
process.once('disconnect', () => process.exit());

async function serve(request: KeyringRequest): Promise<KeyringAnswer> {
  const keyring = await import('@napi-rs/keyring').catch(() => null);
  if (keyring === null) {
    return { kind: 'missing' };
  }
  try {
    // Without this, Linux without a Secret Service falls back to the kernel's keyring, which forgets.
    const entry = new keyring.AsyncEntry(request.service, request.account, {
      linux: { store: 'secret-service' },
    });
    tell({ kind: 'opened' });
    return await act(entry, request);
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error, request.value) };
  }
}

async function act(
  entry: InstanceType<typeof import('@napi-rs/keyring').AsyncEntry>,
  { action, value = '' }: KeyringRequest,
): Promise<KeyringAnswer> {
  switch (action) {
    case 'open':
      return { kind: 'done', found: false };
    case 'read':
      return { kind: 'value', value: await entry.getPassword() };
    case 'write':
      await entry.setPassword(value);
      return { kind: 'done', found: true };
    case 'delete':
      return { kind: 'done', found: await entry.deletePassword() };
  }
}

/** One line. What was to be written is not repeated, whatever the package says. */
function reasonOf(error: unknown, value: string | undefined): string {
  const text = error instanceof Error ? error.message : errorWord(error);
  const safe = value === undefined ? text : text.replaceAll(value, '***');
  return (safe.split('\n')[0] ?? '').slice(0, 300);
}

/** A parent that has gone needs no answer. */
function tell(answer: KeyringAnswer, sent: () => void = () => undefined): void {
  process.send?.(answer, undefined, undefined, (error: Error | null) => {
    if (error === null) {
      sent();
    }
  });
}
