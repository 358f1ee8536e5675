// Where a text stops being JSON (RFC 8259). Owns the position only; `JSON.parse` makes the value. Needed because
// Node 20 often names no position, and its messages quote the text, which may hold a password.

/** Lines and columns count from 1; columns count UTF-16 units. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
}

type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | 'colon' | 'comma or end';

const TOKEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: strings must not hold them (RFC 8259 section 7)
  /[ \t\r\n]*(?:("(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?|true|false|null)|([{}[\],:]))/y;

/** Returns `undefined` exactly when `JSON.parse(text)` succeeds. */
export function findJsonFault(text: string): JsonFault | undefined {
  const token = new RegExp(TOKEN);
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let offset = 0;
  while (open.length > 0 || expected !== 'comma or end') {
    const match = token.exec(text);
    const next: Expected | undefined =
      match === null ? undefined : accept(expected, kindOf(match), open);
    if (next === undefined) {
      return faultAt(text, offset);
    }
    expected = next;
    offset = token.lastIndex;
  }
  return /^[ \t\r\n]*$/.test(text.slice(offset)) ? undefined : faultAt(text, offset);
}

type Kind = 'string' | 'literal' | '{' | '}' | '[' | ']' | ',' | ':';

function kindOf(match: RegExpExecArray): Kind {
  if (match[1] !== undefined) {
    return 'string';
  }
  return match[2] === undefined ? (match[3] as Kind) : 'literal';
}

/** What may follow, or `undefined` when this token may not stand here. Keeps `open` up to date. */
function accept(expected: Expected, kind: Kind, open: ('{' | '[')[]): Expected | undefined {
  switch (expected) {
    case 'value':
      return acceptValue(kind, open);
    case 'value or ]':
      return kind === ']' ? close(open) : acceptValue(kind, open);
    case 'name':
      return kind === 'string' ? 'colon' : undefined;
    case 'name or }':
      return kind === '}' ? close(open) : accept('name', kind, open);
    case 'colon':
      return kind === ':' ? 'value' : undefined;
    case 'comma or end':
      return acceptAfterValue(kind, open);
  }
}

function acceptValue(kind: Kind, open: ('{' | '[')[]): Expected | undefined {
  if (kind === '{' || kind === '[') {
    open.push(kind);
    return kind === '{' ? 'name or }' : 'value or ]';
  }
  return kind === 'string' || kind === 'literal' ? 'comma or end' : undefined;
}

function acceptAfterValue(kind: Kind, open: ('{' | '[')[]): Expected | undefined {
  const innermost = open.at(-1);
  if (kind === ',') {
    return innermost === '{' ? 'name' : 'value';
  }
  return kind === (innermost === '{' ? '}' : ']') ? close(open) : undefined;
}

function close(open: ('{' | '[')[]): Expected {
  open.pop();
  return 'comma or end';
}

function faultAt(text: string, offset: number): JsonFault {
  const blanks = /[ \t\r\n]*/y;
  blanks.lastIndex = offset;
  blanks.test(text);
  const before = text.slice(0, blanks.lastIndex).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}
