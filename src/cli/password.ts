// Passwords from people and pipes: the first lines of standard input, or a prompt that shows nothing. Owns the
// terminal while it asks.
import { read } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';

const readFrom = promisify(read);

const MAX_LINE_CHARS = 4096;
const MAX_LINE_BYTES = MAX_LINE_CHARS * 4;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const ENDS = new Set(['\r', '\n', CTRL_C, CTRL_D]);
const BACKSPACE = new Set(['\b', '\u007f']);

/**
 * Standard input, byte by byte: what is not asked for stays for a program that is started later, as a shell's `read` leaves
 * it. `process.stdin` would take more, and make a pipe non-blocking for that program, too.
 */
export async function* standardInput(): AsyncGenerator<Buffer> {
  const byte = Buffer.alloc(1);
  for (;;) {
    const { bytesRead, isLate } = await readByte(byte);
    if (isLate) {
      await pause(LATE_MS);
    } else if (bytesRead === 0) {
      return;
    } else {
      yield byte;
    }
  }
}

/** Somebody before us has made it non-blocking. */
const LATE_MS = 10;

async function readByte(byte: Buffer): Promise<{ bytesRead: number; isLate: boolean }> {
  try {
    const { bytesRead } = await readFrom(0, byte, 0, 1, null);
    return { bytesRead, isLate: false };
  } catch (error) {
    const word = errorWord(error);
    if (word === 'EAGAIN' || word === 'EOF') {
      // So Windows calls the end of a pipe.
      return { bytesRead: 0, isLate: word === 'EAGAIN' };
    }
    throw error;
  }
}

/**
 * The first lines of a text, without their line ends; the rest stays unread.
 *
 * @param input its bytes, in pieces
 *
 * @throws SallyportError CREDENTIALS_MISSING when there are fewer, CREDENTIALS_INVALID when they are no passwords
 */
export async function readLines(input: AsyncIterable<Buffer>, count: number): Promise<string[]> {
  const lines = linesOf(await readBytes(input, count));
  if (lines.length < count || lines.slice(0, count).includes('')) {
    throw new SallyportError('CREDENTIALS_MISSING', 'Standard input has no password', {
      hint:
        count === 1
          ? 'Its first line is the password.'
          : 'Its first line is the password for the proxy, its second the one for the web server.',
    });
  }
  const wanted = lines.slice(0, count).map(decode);
  if (wanted.some((line) => line.length > MAX_LINE_CHARS)) {
    throw new SallyportError('CREDENTIALS_INVALID', 'A password on standard input is too long', {
      hint: `A line has ${MAX_LINE_CHARS} characters at most.`,
    });
  }
  return wanted;
}

/** As much as holds these lines. Byte by byte, as `latin1`: where a letter ends is known when all is there. */
async function readBytes(input: AsyncIterable<Buffer>, count: number): Promise<string> {
  let text = '';
  for await (const piece of input) {
    text += piece.toString('latin1');
    if (text.split('\n').length > count || text.length > MAX_LINE_BYTES * count) {
      break;
    }
  }
  return text;
}

function linesOf(bytes: string): string[] {
  // Editors and shells of Windows put a byte order mark in front.
  const lines = bytes
    .replace(/^\xef\xbb\xbf/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  if (bytes.endsWith('\n')) {
    lines.pop();
  }
  return lines;
}

/** A letter in another encoding would be a wrong password. */
function decode(bytes: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(bytes, 'latin1'),
    );
  } catch (cause) {
    throw notUtf8(cause);
  }
}

function notUtf8(cause: unknown): SallyportError {
  return new SallyportError('CREDENTIALS_INVALID', 'The password on standard input is not UTF-8', {
    cause,
    hint: 'Save the file as UTF-8, or give the password at a terminal.',
  });
}

/** Whether somebody is there to be asked. */
export function canPrompt(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Asks on the terminal; nothing of the answer is shown.
 *
 * @returns the answer, or `null` for Ctrl-D
 * @throws SallyportError INTERRUPTED for Ctrl-C
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
    throw new SallyportError('INTERRUPTED', 'Stopped at the question for the password');
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
