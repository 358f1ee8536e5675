// A name service on loopback that is silent, fails or answers as it is told, and a program whose machine asks that one alone.
// Wants root, a mount namespace and port 53.
import { spawnSync } from 'node:child_process';
import type { RemoteInfo, Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCRATCH } from './network.ts';

/** Nobody else's: port 53 of other loopback addresses may be taken. */
const ADDRESS = '127.77.0.53';
const HEADER_BYTES = 12;
const SERVER_FAILURE = 2;

export interface NameService extends AsyncDisposable {
  /** From now on; at first it is silent. */
  state: 'silent' | 'failing' | 'answering';
  /** Questions so far. */
  questions(): number;
}

/** Whether this machine can have one. */
export function hasNameService(): boolean {
  const isRoot = process.getuid?.() === 0;
  return isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;
}

/** Every name has the address 127.0.0.1, and none of IPv6. */
export async function openNameService(): Promise<NameService> {
  const socket = createSocket('udp4');
  let questions = 0;
  const service: NameService = {
    state: 'silent',
    questions: () => questions,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
  socket.on('message', (question, from) => {
    questions += 1;
    if (service.state !== 'silent') {
      answer(socket, question, from, service.state);
    }
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(53, ADDRESS, resolve);
  });
  return service;
}

/** The words that run a program with that name service: `[command, ...args]` behind them. */
export function withNameService(): string[] {
  const file = join(mkdtempSync(join(SCRATCH, 'resolv-')), 'resolv.conf');
  writeFileSync(file, `nameserver ${ADDRESS}\noptions timeout:2 attempts:5\n`);
  return ['unshare', '-m', 'sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file];
}

/** RFC 1035 section 4: the header, the question as it came, and one record. */
function answer(
  socket: Socket,
  question: Buffer,
  { port, address }: RemoteInfo,
  state: 'failing' | 'answering',
): void {
  const nameEnd = question.indexOf(0, HEADER_BYTES);
  const asked = question.subarray(HEADER_BYTES, nameEnd + 5);
  const isForAddress = question.readUInt16BE(nameEnd + 1) === 1;
  const records = state === 'answering' && isForAddress ? 1 : 0;
  const header = Buffer.alloc(HEADER_BYTES);
  question.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (state === 'failing' ? SERVER_FAILURE : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records, 6);
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
  socket.send(Buffer.concat([header, asked, ...(records > 0 ? [record] : [])]), port, address);
}
