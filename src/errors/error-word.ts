// The shortest telling name of a failure of Node or the operating system.

/** `ECONNRESET` rather than a sentence, where there is one. */
export function errorWord(error: unknown): string {
  if (error instanceof Error) {
    return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  }
  return String(error);
}
