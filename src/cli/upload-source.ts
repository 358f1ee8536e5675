// What `-T` sends: a file, read as it goes out and as often as it is asked for, or a stream that is read once. Owns the
// promise that a file arrives as it was when the sending began.

import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { RequestBody } from '../upstream/upload.ts';

const READ_BYTES = 262_144;

export interface UploadSource {
  /** In bytes; `null` when it is known at the end only. */
  readonly length: number | null;
  readonly isRepeatable: boolean;
  /**
   * @param onStart is called each time it is read from its beginning
   * @param onPiece is given the length of each piece on its way
   */
  body(onStart: () => void, onPiece: (bytes: number) => void): RequestBody;
  close(): Promise<void>;
}

/**
 * @param name a file, or `-` for standard input
 * @throws SallyportError UPLOAD_UNREADABLE
 */
export async function openUpload(name: string): Promise<UploadSource> {
  if (name === '-') {
    return oneShot(() => process.stdin);
  }
  try {
    const about = await stat(name);
    if (about.isDirectory()) {
      throw new SallyportError('UPLOAD_UNREADABLE', `${name} is a directory`, {
        hint: 'Name a file with -T; for a whole directory pack it first.',
      });
    }
    if (!about.isFile()) {
      return oneShot(() => createReadStream(name));
    }
    const file = await open(name, 'r');
    return about.size === 0 && (await hasContent(file))
      ? uncounted(file)
      : await fileSource(name, file);
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

async function fileSource(name: string, file: FileHandle): Promise<UploadSource> {
  const { size, mtimeMs } = await file.stat();
  async function* pieces(onPiece: (bytes: number) => void): AsyncGenerator<Buffer> {
    for (let position = 0; position < size; ) {
      const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, size - position));
      const { bytesRead } = await file.read(piece, 0, piece.length, position).catch((cause) => {
        throw unreadable(name, cause);
      });
      position += bytesRead;
      if (bytesRead === 0 || position === size) {
        // Before the last piece goes out: without it the server has nothing it could take for the whole.
        const now = await file.stat();
        if (now.size !== size || now.mtimeMs !== mtimeMs) {
          throw changed(name, size, now.size);
        }
      }
      if (bytesRead === 0) {
        // Files a system makes up say one size and have another.
        throw changed(name, size, position);
      }
      onPiece(bytesRead);
      yield piece.subarray(0, bytesRead);
    }
  }
  return {
    length: size,
    isRepeatable: true,
    body: (onStart, onPiece) => () => {
      onStart();
      return Readable.from(pieces(onPiece));
    },
    close: () => file.close(),
  };
}

/** Files a system makes up as they are read, as in /proc, have no size and a content all the same. */
async function hasContent(file: FileHandle): Promise<boolean> {
  const { bytesRead } = await file.read(Buffer.alloc(1), 0, 1, 0);
  return bytesRead > 0;
}

function uncounted(file: FileHandle): UploadSource {
  async function* pieces(onPiece: (bytes: number) => void): AsyncGenerator<Buffer> {
    for (let position = 0; ; ) {
      const piece = Buffer.allocUnsafe(READ_BYTES);
      const { bytesRead } = await file.read(piece, 0, piece.length, position);
      if (bytesRead === 0) {
        return;
      }
      position += bytesRead;
      onPiece(bytesRead);
      yield piece.subarray(0, bytesRead);
    }
  }
  return {
    length: null,
    isRepeatable: true,
    body: (onStart, onPiece) => () => {
      onStart();
      return Readable.from(pieces(onPiece));
    },
    close: () => file.close(),
  };
}

function oneShot(openStream: () => Readable): UploadSource {
  async function* pieces(onPiece: (bytes: number) => void): AsyncGenerator<Buffer> {
    for await (const piece of openStream()) {
      onPiece((piece as Buffer).length);
      yield piece as Buffer;
    }
  }
  return {
    length: null,
    isRepeatable: false,
    body: (_onStart, onPiece) => Readable.from(pieces(onPiece)),
    close: async () => undefined,
  };
}

function changed(name: string, before: number, now: number): SallyportError {
  const how = before === now ? 'was changed' : `went from ${before} to ${now} bytes`;
  return new SallyportError('UPLOAD_CHANGED', `${name} ${how} while it was sent`, {
    hint: 'The server did not get the end of it. Upload it when nobody writes it, or a copy.',
  });
}

function unreadable(name: string, cause: unknown): SallyportError {
  if (cause instanceof SallyportError) {
    return cause;
  }
  const word = errorWord(cause);
  const why: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
  };
  return new SallyportError('UPLOAD_UNREADABLE', `Cannot read ${name}: ${why[word] ?? word}`, {
    cause,
    hint: 'Name the file that is to be sent with -T.',
  });
}
