// Header fields in the order and spelling they had on the wire. Owns look-up by name; knows no field's meaning.

/** One field line: name as written, value without surrounding white space. */
export type HeaderField = readonly [name: string, value: string];

/** The fields of one message. Look-ups ignore case; several lines of one name stay apart. */
export class HeaderList {
  readonly fields: readonly HeaderField[];
  /** In lower case, made when first asked for: a proxy asks twenty times. */
  #names: readonly string[] | null = null;

  constructor(fields: readonly HeaderField[]) {
    this.fields = fields;
  }

  /** The value of the first line of this name. */
  first(name: string): string | undefined {
    return this.fields[this.#lowerNames().indexOf(name.toLowerCase())]?.[1];
  }

  /** The values of all lines of this name, in order. */
  all(name: string): string[] {
    const wanted = name.toLowerCase();
    const names = this.#lowerNames();
    const values: string[] = [];
    for (let at = names.indexOf(wanted); at !== -1; at = names.indexOf(wanted, at + 1)) {
      values.push(this.fields[at]?.[1] ?? '');
    }
    return values;
  }

  #lowerNames(): readonly string[] {
    this.#names ??= this.fields.map(([name]) => name.toLowerCase());
    return this.#names;
  }

  /** The members of a comma-separated field such as `Connection`, lower-case, over all its lines. */
  tokens(name: string): string[] {
    const values = this.all(name);
    return values.length === 0 ? values : membersOf(values);
  }

  /** The fields whose name, in lower case, is not dropped. */
  without(isDropped: (name: string) => boolean): HeaderField[] {
    const names = this.#lowerNames();
    return this.fields.filter((_field, at) => !isDropped(names[at] ?? ''));
  }

  /** Lower-case name to value; lines of one name joined by a comma and a space (RFC 9110 section 5.2). */
  toObject(): Record<string, string> {
    const joined = new Map<string, string>();
    for (const [name, value] of this.fields) {
      const key = name.toLowerCase();
      const before = joined.get(key);
      joined.set(key, before === undefined ? value : `${before}, ${value}`);
    }
    return Object.fromEntries(joined);
  }

  /** Name, value, name, value, ... as Node's `rawHeaders`. */
  toRaw(): string[] {
    return this.fields.flat();
  }
}

function membersOf(values: readonly string[]): string[] {
  const members: string[] = [];
  for (const value of values) {
    for (const member of value.includes(',') ? value.split(',') : [value]) {
      const trimmed = trimWhite(member).toLowerCase();
      if (trimmed !== '') {
        members.push(trimmed);
      }
    }
  }
  return members;
}

/**
 * Cuts spaces and tabs from both ends and nothing else (OWS, RFC 9110 section 5.6.3): the bytes 0xA0 and 0x0B, which
 * `trim()` cuts too, belong to the value. A `à` in UTF-8 ends with 0xA0.
 */
export function trimWhite(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhite(text[start])) {
    start += 1;
  }
  while (end > start && isWhite(text[end - 1])) {
    end -= 1;
  }
  return text.slice(start, end);
}

function isWhite(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
