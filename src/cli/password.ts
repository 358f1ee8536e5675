// Passwords from people and pipes: the first lines of standard input, or a prompt that shows nothing. Owns the
// terminal while it asks.
import { SallyportError } from '../errors/sallyport-error.ts';

const MAX_LINE_BYTES = 4096;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const BACKSPACE = new Set(['\b', '\u007f']);

/**
 * The first lines of standard input, without their line ends; the rest stays unread.
 *
 * @throws SallyportError CREDENTIALS_MISSING when there are fewer
 */
export async function readLines(input: NodeJS.ReadStream, count: number): Promise<string[]> {
  let text = '';
  for await (const piece of input) {
    text += String(piece);
    if (text.split('\n').length > count || text.length > MAX_LINE_BYTES * count) {
      break;
    }
  }
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (text.endsWith('\n')) {
    lines.pop();
  }
  if (lines.length < count || lines.slice(0, count).includes('')) {
    throw new SallyportError('CREDENTIALS_MISSING', 'Standard input has no password in its line', {
      hint: 'With both --password-stdin and --origin-password-stdin, the first line is for the proxy.',
    });
  }
  return lines.slice(0, count);
}

/** Whether somebody is there to be asked. */
export function canPrompt(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Asks on the terminal; nothing of the answer is shown.
 *
 * @returns the answer, or `null` for Ctrl-C and Ctrl-D
 */
export async function promptHidden(question: string): Promise<string | null> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  try {
    return await readHidden(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

function readHidden(input: NodeJS.ReadStream): Promise<string | null> {
  return new Promise((resolve) => {
    let answer = '';
    const take = (text: string): void => {
      // A paste arrives at once, line end included.
      for (const char of text) {
        const isEnd = char === '\r' || char === '\n';
        if (isEnd || char === CTRL_C || char === CTRL_D) {
          end(isEnd ? answer : null);
          return;
        }
        answer = BACKSPACE.has(char) ? [...answer].slice(0, -1).join('') : answer + char;
      }
    };
    const end = (result: string | null): void => {
      input.off('data', take);
      resolve(result);
    };
    input.on('data', take);
    input.resume();
  });
}
