// A client of a local proxy with no cost of its own: one CONNECT on a bare socket, until the tunnel stands.
import { connect } from 'node:net';

/**
 * @param proxy `http://[user:password@]host:port`
 * @returns how long it took, in milliseconds, the connection to the local proxy included
 * @throws Error for any other answer than 200
 */
export function rawConnect(proxy: string, target: string): Promise<number> {
  const { hostname, port, username, password } = new URL(proxy);
  const token = Buffer.from(`${username}:${password}`).toString('base64');
  const lines = [
    `CONNECT ${target} HTTP/1.1`,
    `Host: ${target}`,
    ...(username === '' ? [] : [`Proxy-Authorization: Basic ${token}`]),
  ];
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.once('data', (bytes: Buffer) => {
      const ms = performance.now() - started;
      const line = bytes.toString('latin1').split('\r\n')[0] ?? '';
      socket.destroy();
      if (line.split(' ')[1] === '200') {
        resolve(ms);
      } else {
        reject(new Error(`CONNECT was answered by ${line}`));
      }
    });
    socket.once('error', reject);
    socket.once('end', () => reject(new Error('CONNECT had no answer')));
  });
}

/** @returns their times, in milliseconds */
export function rawBurst(proxy: string, target: string, count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => rawConnect(proxy, target)));
}
