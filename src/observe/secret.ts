// A password in memory. Owns the promise that printing, inspecting or serialising never shows it.
import { inspect } from 'node:util';

/** Holds a secret string; only `reveal()` gives it, everything else shows `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself. Callers keep it in a local variable and hand it to nothing but a session. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
