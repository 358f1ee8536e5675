// Tells when one of some files has another content. Owns the watching, of folders, since editors and Kubernetes replace files whole;
// what is in them is the caller's. Costs nothing while nothing changes.
import { createHash } from 'node:crypto';
import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readBounded } from '../settings/read-bounded.ts';

/** A file is written in several steps. */
const SETTLE_MS = 200;
const MAX_BYTES = 1024 * 1024;

export class ConfigWatch implements Disposable {
  readonly #paths: readonly string[];
  readonly #changed: () => void;
  #watchers: FSWatcher[] = [];
  #seen = '';
  #timer: NodeJS.Timeout | null = null;

  private constructor(paths: readonly string[], changed: () => void) {
    this.#paths = paths;
    this.#changed = changed;
  }

  /** @param changed is called once for each change, when it has settled */
  static async over(paths: readonly string[], changed: () => void): Promise<ConfigWatch> {
    const watcher = new ConfigWatch(paths, changed);
    await watcher.#begin();
    return watcher;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer ?? undefined);
    for (const watcher of this.#watchers) {
      watcher.close();
    }
  }

  async #begin(): Promise<void> {
    // A link leads to another folder, where its content changes.
    const real = await Promise.all(this.#paths.map((path) => realpath(path).catch(() => path)));
    const folders = new Set([...this.#paths, ...real].map((path) => dirname(path)));
    this.#watchers = [...folders].flatMap((folder) => this.#watch(folder));
    this.#seen = await this.#content();
  }

  /** None for a folder that is not there. */
  #watch(folder: string): FSWatcher[] {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#soon());
      watcher.on('error', () => watcher.close());
      return [watcher];
    } catch {
      return [];
    }
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.#look();
    }, SETTLE_MS).unref();
  }

  async #look(): Promise<void> {
    const content = await this.#content();
    if (content !== this.#seen) {
      this.#seen = content;
      this.#changed();
    }
  }

  async #content(): Promise<string> {
    const all = await Promise.all(this.#paths.map((path) => readOrNull(path)));
    const hash = createHash('sha256');
    for (const bytes of all) {
      hash.update(bytes === null ? 'none' : `${bytes.length}:`).update(bytes ?? '');
    }
    return hash.digest('hex');
  }
}

async function readOrNull(path: string): Promise<Buffer | null> {
  try {
    return await readBounded(path, MAX_BYTES);
  } catch {
    return null;
  }
}
