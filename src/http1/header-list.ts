// Header fields in the order and spelling they had on the wire. Owns look-up by name; knows no field's meaning.

/** One field line: name as written, value without surrounding white space. */
export type HeaderField = readonly [name: string, value: string];

/** The fields of one message. Look-ups ignore case; several lines of one name stay apart. */
export class HeaderList {
  readonly fields: readonly HeaderField[];

  constructor(fields: readonly HeaderField[]) {
    this.fields = fields;
  }

  /** The value of the first line of this name. */
  first(name: string): string | undefined {
    const wanted = name.toLowerCase();
    return this.fields.find(([found]) => found.toLowerCase() === wanted)?.[1];
  }

  /** The values of all lines of this name, in order. */
  all(name: string): string[] {
    const wanted = name.toLowerCase();
    return this.fields
      .filter(([found]) => found.toLowerCase() === wanted)
      .map(([, value]) => value);
  }

  /** The members of a comma-separated field such as `Connection`, lower-case, over all its lines. */
  tokens(name: string): string[] {
    return this.all(name)
      .flatMap((value) => value.split(','))
      .map((member) => trimWhite(member).toLowerCase())
      .filter((member) => member !== '');
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
