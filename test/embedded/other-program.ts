// A program that is not ours: another user's on this machine, or one in another network namespace. It writes bytes to a port and
// prints what comes back; it knows nothing of Sallyport.
import { spawn } from 'node:child_process';
import { json } from 'node:stream/consumers';

export interface Whence {
  readonly uid?: number;
  /** A network namespace that `ip netns` knows. */
  readonly namespace?: string;
}

export interface Outcome {
  /** 0 when no answer came. */
  readonly status: number;
  readonly text: string;
  /** The port it spoke from. */
  readonly port: number;
  /** `ECONNREFUSED` and the like. */
  readonly failure: string | null;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

const PROGRAM = `
const [host, port, request] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port: Number(port) });
const outcome = { status: 0, text: '', port: 0, failure: null };
const end = () => { process.stdout.write(JSON.stringify(outcome)); process.exit(); };
socket.setTimeout(5000, () => { outcome.failure = 'SILENCE'; end(); });
socket.on('connect', () => { outcome.port = socket.localPort; socket.write(request); });
socket.on('data', (bytes) => { outcome.text += bytes; outcome.status ||= Number(outcome.text.split(' ')[1]); });
socket.on('error', (error) => { outcome.failure = error.code; });
socket.on('close', end);
`;

/** Sends a request with `Connection: close`, and waits for the end of the connection. */
export async function askAs(
  { uid, namespace }: Whence,
  { host, port }: Place,
  target: string,
  headers: readonly string[] = [],
): Promise<Outcome> {
  const ofOrigin = headers.some((header) => /^host:/i.test(header)) ? [] : ['Host: origin.test'];
  const lines = [`GET ${target} HTTP/1.1`, ...ofOrigin, 'Connection: close', ...headers];
  const request = `${lines.join('\r\n')}\r\n\r\n`;
  const node = [process.execPath, '-e', PROGRAM, host, String(port), request];
  const [command = '', ...args] =
    namespace === undefined ? node : ['ip', 'netns', 'exec', namespace, ...node];
  const child = spawn(command, args, {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  return (await json(child.stdout)) as Outcome;
}

/** As clients send the token. */
export function bearing(token: string | null): string {
  return `Proxy-Authorization: Basic ${Buffer.from(`x:${token}`).toString('base64')}`;
}
