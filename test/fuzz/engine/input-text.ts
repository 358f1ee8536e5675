// How inputs stand in files: one a line, readable, with a short form for repetitions. Owns the two directions.

/** Shorter repetitions are written out. */
const MIN_REPEATED_BYTES = 48;
const MAX_UNIT_BYTES = 24;
const NAMED: ReadonlyMap<number, string> = new Map([
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x5c, '\\\\'],
]);
const UNNAMED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };
/** `\(unit*times)`, or text; the unit has no parenthesis and no star of its own. */
const TOKEN = /\\\(((?:[^\\()*]|\\[^(])+)\*(\d+)\)|((?:[^\\]|\\[^(])+)/y;

/**
 * Writes an input as one line of printable ASCII: `\n`, `\r`, `\t`, `\\`, `\xNN`, and `\(ab*900)` for 900 times `ab`.
 */
export function formatInput(input: Uint8Array): string {
  const parts: string[] = [];
  let at = 0;
  while (at < input.length) {
    const { unit, times } = repetitionAt(input, at);
    const text = [...input.subarray(at, at + unit)].map(escapeByte).join('');
    parts.push(times === 1 ? text : `\\(${text.replaceAll(/[()*]/g, escapeCharacter)}*${times})`);
    at += unit * times;
  }
  // A line may not look like a comment, nor lose a space at its end.
  return parts.join('').replaceAll(/^#| $/g, escapeCharacter);
}

/**
 * Reads such a line.
 *
 * @throws SyntaxError for anything else
 */
export function parseInput(line: string): Buffer {
  const token = new RegExp(TOKEN);
  const parts: Buffer[] = [];
  let at = 0;
  while (at < line.length) {
    token.lastIndex = at;
    const found = token.exec(line);
    if (found === null) {
      throw new SyntaxError(`an input cannot be read from column ${at + 1} on`);
    }
    const [all, unit = '', times = '1', plain] = found;
    const bytes = withoutEscapes(plain ?? unit);
    parts.push(Buffer.alloc(bytes.length * Number(times), bytes));
    at += all.length;
  }
  return Buffer.concat(parts);
}

function escapeByte(byte: number): string {
  const isPrintable = byte >= 0x20 && byte < 0x7f;
  return NAMED.get(byte) ?? (isPrintable ? String.fromCharCode(byte) : hexadecimal(byte));
}

function escapeCharacter(character: string): string {
  return hexadecimal(character.charCodeAt(0));
}

function hexadecimal(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

function withoutEscapes(text: string): Buffer {
  const plain = text.replaceAll(/\\(?:x([\da-f]{2})|(.))/g, (written, hex, letter) => {
    const character =
      hex === undefined ? UNNAMED[letter] : String.fromCharCode(Number.parseInt(hex, 16));
    if (character === undefined) {
      throw new SyntaxError(`an input has the unknown escape ${written}`);
    }
    return character;
  });
  return Buffer.from(plain, 'latin1');
}

/** The repetition of the shortest unit that begins here and is worth a short form; else one byte, once. */
function repetitionAt(input: Uint8Array, at: number): { unit: number; times: number } {
  for (let unit = 1; unit <= MAX_UNIT_BYTES; unit += 1) {
    let end = at + unit;
    while (end < input.length && input[end] === input[end - unit]) {
      end += 1;
    }
    const times = Math.floor((end - at) / unit);
    if (times > 1 && times * unit >= MIN_REPEATED_BYTES) {
      return { unit, times };
    }
  }
  return { unit: 1, times: 1 };
}
