// Where the keys of a JSON text stand. Owns lines and columns; the text is known to be JSON (`json-fault.ts`).
import type { JsonFault } from './json-fault.ts';

export interface JsonPlaces {
  /** By path: `proxy`, `serve.listen`. Arrays have no part in it. */
  readonly places: ReadonlyMap<string, JsonFault>;
  /** The path of a key that stands in its object twice: `JSON.parse` would take the last one without a word. */
  readonly double: string | null;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** @param text JSON */
export function findPlaces(text: string): JsonPlaces {
  const places = new Map<string, JsonFault>();
  const place = placeFinder(text);
  /** The key each open object has come to; `null` for an array. */
  const open: (string | null)[] = [];
  let double: string | null = null;
  let before = '';
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if ('{['.includes(token)) {
      open.push(token === '{' ? '' : null);
    } else if ('}]'.includes(token)) {
      open.pop();
    } else if ((before === '{' || before === ',') && typeof open.at(-1) === 'string') {
      open[open.length - 1] = JSON.parse(token) as string;
      const path = open.includes(null) ? '[]' : open.join('.');
      double ??= path !== '[]' && places.has(path) ? path : null;
      places.set(path, place(index));
    }
    before = token;
  }
  return { places, double };
}

/** For offsets that grow. */
function placeFinder(text: string): (offset: number) => JsonFault {
  let line = 1;
  let start = 0;
  return (offset) => {
    for (
      let end = text.indexOf('\n', start);
      end >= 0 && end < offset;
      end = text.indexOf('\n', start)
    ) {
      line += 1;
      start = end + 1;
    }
    return { line, column: offset - start + 1 };
  };
}
