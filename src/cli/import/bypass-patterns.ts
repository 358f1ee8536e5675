// The bypass lists of cntlm and px in Sallyport's dialect. Owns the patterns the three have in common; the others are named, not
// guessed.
import { isIP } from 'node:net';

export interface TranslatedPatterns {
  readonly taken: readonly string[];
  readonly notTaken: readonly string[];
}

/** `10.*`, `192.168.*`, `127.0.0.*`, `10.*.*.*` */
const OCTETS = /^((?:\d{1,3}\.){1,3})\*(?:\.\*){0,2}$/;
const NETWORK = /^([\da-f.:]+)\/\d{1,3}$/i;
/** `host`, `.domain`, `*.domain` */
const NAME = /^(?:\*?\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i;

export function translatePatterns(list: string): TranslatedPatterns {
  const patterns = list.split(/[\s,|]+/).filter((pattern) => pattern !== '');
  const pairs = patterns.map((pattern) => [pattern, translate(pattern)] as const);
  return {
    taken: pairs.flatMap(([, entry]) => (entry === undefined ? [] : [entry])),
    notTaken: pairs.flatMap(([pattern, entry]) => (entry === undefined ? [pattern] : [])),
  };
}

function translate(pattern: string): string | undefined {
  const octets = OCTETS.exec(pattern)?.[1]?.split('.').slice(0, -1);
  if (octets !== undefined) {
    const whole = [...octets, ...Array<string>(4 - octets.length).fill('0')].join('.');
    return isIP(whole) === 4 ? `${whole}/${octets.length * 8}` : undefined;
  }
  const network = NETWORK.exec(pattern)?.[1];
  if (network !== undefined) {
    return isIP(network) === 0 ? undefined : pattern;
  }
  if (pattern === '*' || isIP(pattern) !== 0) {
    return pattern;
  }
  // Else a number that is no address, or a range of them, would be taken for a name.
  const isNumeric = /^[\d.-]+$/.test(pattern);
  return NAME.test(pattern) && !isNumeric ? pattern.toLowerCase() : undefined;
}
