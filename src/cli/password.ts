// Passwords from people and pipes: the first lines of standard input, or a prompt that shows nothing. Owns the
// terminal while it asks.
import { SallyportError } from '../errors/sallyport-error.ts';
import { EXIT_INTERRUPTED } from './exit-codes.ts';

const MAX_LINE_CHARS = 4096;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const ENDS = new Set(['\r', '\n', CTRL_C, CTRL_D]);
const BACKSPACE = new Set(['\b', '\u007f']);

/**
 * The first lines of standard input, without their line ends; the rest stays unread.
 *
 * @throws SallyportError CREDENTIALS_MISSING when there are fewer
 */
export async function readLines(input: NodeJS.ReadStream, count: number): Promise<string[]> {
  let text = '';
  input.setEncoding('utf8');
  for await (const piece of input) {
    text += String(piece);
    if (text.split('\n').length > count || text.length > MAX_LINE_CHARS * count) {
      break;
    }
  }
  // Editors and shells of Windows put a byte order mark in front.
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  if (text.endsWith('\n')) {
    lines.pop();
  }
  if (lines.length < count || lines.slice(0, count).includes('')) {
    throw new SallyportError('CREDENTIALS_MISSING', 'Standard input has no password', {
      hint:
        count === 1
          ? 'Its first line is the password.'
          : 'Its first line is the password for the proxy, its second the one for the web server.',
    });
  }
  const wanted = lines.slice(0, count);
  if (wanted.some((line) => line.length > MAX_LINE_CHARS)) {
    throw new SallyportError('CREDENTIALS_INVALID', 'A password on standard input is too long', {
      hint: `A line has ${MAX_LINE_CHARS} characters at most.`,
    });
  }
  return wanted;
}

/** Whether somebody is there to be asked. */
export function canPrompt(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Asks on the terminal; nothing of the answer is shown. Ctrl-C ends the process as it always does.
 *
 * @returns the answer, or `null` for Ctrl-D
 */
export async function promptHidden(question: string): Promise<string | null> {
  const { stdin, stderr } = process;
  // First silence, then the question: a quick typist must not be echoed.
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stderr.write(question);
  const { text, ended } = await readHidden(stdin);
  stdin.setRawMode(false);
  stdin.pause();
  stderr.write('\n');
  if (ended === CTRL_C) {
    process.exit(EXIT_INTERRUPTED);
  }
  return ended === CTRL_D ? null : text;
}

/** Up to the key that ends it: Enter, Ctrl-C or Ctrl-D. */
function readHidden(input: NodeJS.ReadStream): Promise<{ text: string; ended: string }> {
  return new Promise((resolve) => {
    let text = '';
    const take = (typed: string): void => {
      // A paste arrives at once, line end included.
      for (const char of typed) {
        if (ENDS.has(char)) {
          input.off('data', take);
          resolve({ text, ended: char });
          return;
        }
        text = BACKSPACE.has(char) ? [...text].slice(0, -1).join('') : text + char;
      }
    };
    input.on('data', take);
    input.resume();
  });
}
