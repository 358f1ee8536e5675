// One object of the configuration file: its fields by type, and the errors for what is something else, which name file, line and
// key and never a value. Owns these checks; which keys there are is the caller's.
import type { SallyportErrorOptions } from '../errors/sallyport-error.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { JsonPlaces } from './json-places.ts';
import { nearestWord } from './nearest-word.ts';
import { parseWordList } from './word-list.ts';

export const TWO_BACKSLASHES = 'In JSON a backslash is written twice: "CORP\\\\alice".';
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is to find
const CONTROL = /[\0-\x1f\x7f]/;
const PASSWORD_LIKE = /pass(?:word|wd|phrase)|secret|token|credential/i;

/** Keys of the objects within, for whoever writes one of them outside. */
type InnerKeys = Readonly<Record<string, readonly string[]>>;

export class ConfigFields {
  readonly #path: string;
  /** In front of its keys: `serve.`, or nothing. */
  readonly #prefix: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #places: JsonPlaces['places'];

  /** @throws SallyportError CONFIG_INVALID for a key that is not known */
  constructor(
    path: string,
    prefix: string,
    values: Readonly<Record<string, unknown>>,
    places: JsonPlaces['places'],
    known: readonly string[],
    inner: InnerKeys = {},
  ) {
    this.#path = path;
    this.#prefix = prefix;
    this.#values = values;
    this.#places = places;
    for (const key of Object.keys(values)) {
      this.#checkKey(key, known, inner);
    }
  }

  /** @param isText whether it may have lines, as a list may */
  text(key: string, isText = false): string | undefined {
    const value = this.#get(key);
    if (!isText && typeof value === 'string' && CONTROL.test(value)) {
      // `"CORP\boris"` is JSON: with a backspace in it.
      throw this.invalid(key, 'has a control character', { hint: TWO_BACKSLASHES });
    }
    if (value === undefined || typeof value === 'string') {
      return value;
    }
    throw this.invalid(key, 'is not a string');
  }

  flag(key: string): boolean | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === 'boolean') {
      return value;
    }
    throw this.invalid(key, 'is neither true nor false');
  }

  list(key: string): readonly string[] | undefined {
    const value = this.#get(key);
    if (value === undefined) {
      return undefined;
    }
    if (typeof value === 'string') {
      return parseWordList(value);
    }
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) {
      return value;
    }
    throw this.invalid(key, 'is neither an array of strings nor a string with commas');
  }

  integer(key: string, least: number, most: number): number | undefined {
    const value = this.#get(key);
    const isFit = Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
    if (value === undefined || isFit) {
      return value as number | undefined;
    }
    throw this.invalid(key, `is no whole number from ${least} to ${most}`);
  }

  choice<Word extends string>(key: string, words: readonly Word[]): Word | undefined {
    const value = this.#get(key);
    const word = words.find((one) => one === value);
    if (value === undefined || word !== undefined) {
      return word;
    }
    throw this.invalid(key, `is none of ${words.map((one) => `"${one}"`).join(', ')}`);
  }

  /** An object within this one. */
  object(key: string, known: readonly string[]): ConfigFields | undefined {
    const value = this.#get(key);
    if (value === undefined) {
      return undefined;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.invalid(key, 'is not an object: { ... }');
    }
    const values = value as Record<string, unknown>;
    return new ConfigFields(this.#path, `${this.#prefix}${key}.`, values, this.#places, known);
  }

  /** @param what follows the key: `is not a string` */
  invalid(key: string, what: string, options: SallyportErrorOptions = {}): SallyportError {
    const name = `${this.#prefix}${key}`;
    return new SallyportError(
      'CONFIG_INVALID',
      `${this.#at(name)}: ${quote(name)} ${what}`,
      options,
    );
  }

  #get(key: string): unknown {
    return Object.hasOwn(this.#values, key) ? this.#values[key] : undefined;
  }

  /** `file:line:column` */
  #at(name: string): string {
    const place = this.#places.get(name);
    return place === undefined ? this.#path : `${this.#path}:${place.line}:${place.column}`;
  }

  #checkKey(key: string, known: readonly string[], inner: InnerKeys): void {
    if (known.includes(key)) {
      return;
    }
    const name = `${this.#prefix}${key}`;
    if (PASSWORD_LIKE.test(key)) {
      throw this.invalid(key, 'has no place in a file that is kept', {
        hint: 'Give the password in SALLYPORT_PASSWORD or with --password-stdin.',
      });
    }
    const nearest = nearestWord(key, known);
    const [home] = Object.entries(inner).find(([, keys]) => keys.includes(key)) ?? [];
    const belongs = home === undefined ? '' : `It belongs into "${home}": { ... }. `;
    const guess = nearest === undefined ? belongs : `Did you mean "${nearest}"? `;
    throw new SallyportError(
      'CONFIG_INVALID',
      `${this.#at(name)}: the key ${quote(name)} is unknown`,
      { hint: `${guess}Known keys are ${known.join(', ')}.` },
    );
  }
}

function quote(key: string): string {
  return JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}...` : key);
}
