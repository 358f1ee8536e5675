// The SHA-256 of a download, counted as it passes. Owns starting over.
import { createHash } from 'node:crypto';

export class Digest {
  #hash = createHash('sha256');

  update(piece: Uint8Array): void {
    this.#hash.update(piece);
  }

  /** Forgets what has passed. */
  reset(): void {
    this.#hash = createHash('sha256');
  }

  /** In lower case; the end of the counting. */
  hex(): string {
    return this.#hash.digest('hex');
  }
}
