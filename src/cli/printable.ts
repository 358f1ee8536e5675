// Text of servers on its way to a terminal: control characters could move the cursor, set titles or worse.

/** One line without control characters. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is to find
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/[\0-\x1f\x7f-\x9f]/g, '?');
}
