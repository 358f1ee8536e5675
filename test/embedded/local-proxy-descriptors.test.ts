// A local proxy with few descriptors, in a process of its own: more clients than it can serve are told so, and none meets EMFILE.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { RawClient } from './raw-client.ts';
import { createRawServer } from './raw-server.ts';

const DIST = new URL('../../dist/', import.meta.url);
const TOKEN = 'of-this-test-and-no-other';
const PROGRAM = `
  const { createProxyServer, createUpstream } = await import('${DIST}index.js');
  const upstream = await createUpstream({ noProxy: '127.0.0.1', env: {} });
  const { port } = await createProxyServer({ upstream, token: '${TOKEN}' });
  console.log(port);
  process.stdin.on('end', () => process.exit()).resume();
`;

function descriptorsOf(pid: number | undefined): number {
  return process.platform === 'linux' ? readdirSync(`/proc/${pid}/fd`).length : 0;
}

it.skipIf(process.platform === 'win32')(
  'createProxyServer() with 300 descriptors serves 86 tunnels, and tells 40 more that it is full',
  { timeout: 60_000 },
  async () => {
    await using echo = await createRawServer((socket) => socket.pipe(socket));
    const child = spawn(
      'sh',
      ['-c', 'ulimit -n 300; exec "$0" --input-type=module -e "$1"', process.execPath, PROGRAM],
      { stdio: ['pipe', 'pipe', 'inherit'], cwd: fileURLToPath(DIST) },
    );
    const port = Number(String(await once(child.stdout, 'data')));
    const token = `Proxy-Authorization: Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}`;
    const open = async () => {
      const client = await RawClient.to({ host: '127.0.0.1', port });
      client.send([`CONNECT 127.0.0.1:${echo.port} HTTP/1.1`, 'Host: x', token]);
      return { client, status: (await client.response('CONNECT')).head.status };
    };
    const all = await Promise.all(Array.from({ length: 126 }, open));
    const served = all.filter(({ status }) => status === 200);
    expect(served).toHaveLength(86);
    expect(all.filter(({ status }) => status === 503)).toHaveLength(40);
    for (const { client } of served) {
      client.socket.write('ping');
      expect(String(await client.read())).toBe('ping');
    }
    // A crowd that stays to be told uses up no descriptor of those who are served.
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, descriptorsOf(child.pid));
    }, 5);
    const crowd = await Promise.all(
      Array.from({ length: 400 }, () => open().catch(() => ({ client: null, status: 0 }))),
    );
    clearInterval(watch);
    expect(most).toBeLessThan(300);
    expect(crowd.filter(({ status }) => status === 503).length).toBeGreaterThanOrEqual(96);
    expect(crowd.filter(({ status }) => status !== 503 && status !== 0)).toEqual([]);
    for (const { client } of served) {
      client.socket.write('pong');
      expect(String(await client.read())).toBe('pong');
    }
    const everybody = [...all, ...crowd].map(({ client }) => client?.[Symbol.asyncDispose]());
    await Promise.all(everybody);
    const last = await open();
    expect(last.status).toBe(200);
    await last.client[Symbol.asyncDispose]();
    child.stdin.end();
    await once(child, 'exit');
  },
);
