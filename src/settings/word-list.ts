// Lists as people type them into one string. Owns the separators; the meaning of the words is the reader's.

/** Splits at commas and white space, as in `negotiate, ntlm`; empty words are dropped. */
export function parseWordList(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}
