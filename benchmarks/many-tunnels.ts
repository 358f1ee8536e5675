// `npm run bench:tunnels`: as many tunnels at once as are asked for through `sallyport run`, to the embedded corporate proxy with
// NTLM, each party in a process of its own. Owns the counting: who got through, who was told that all is full, what it costs.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OriginOrder, OriginState, ProxyOrder } from '../test/soak/server/orders.ts';
import { Process } from '../test/soak/server/orders.ts';
import { ALICE } from '../test/soak/server/plan.ts';
import { TunnelClient } from '../test/soak/server/tunnel-client.ts';
import { parseArguments, runTool, UsageError } from '../test/tool-arguments.ts';
import type { RunProxy } from './run-proxy.ts';
import { startRunProxy } from './run-proxy.ts';

const USAGE = `npm run bench:tunnels -- [--tunnels N] [--beyond M]
  --tunnels N  open and active at once, 8000 unless told
  --beyond M   so many more at once then: each gets through or a clear 503; 0 unless told

Examples:
  npm run bench:tunnels                                  the row of the table
  npm run bench:tunnels -- --tunnels 9000 --beyond 3000  with 20,000 descriptors, the 12,000th, too

The exit code is 0 when all of N are open and echo, and each of M got one or the other.
`;

/** Opened at the same time. */
const AT_ONCE = 100;
/** The local proxy lets somebody wait for 5 s before it says that it is full. */
const PATIENCE_MS = 60_000;

interface Tunnel {
  readonly client: TunnelClient;
  /** 0 when no answer came. */
  readonly status: number;
}

class Stage implements AsyncDisposable {
  readonly origin = new Process<OriginOrder, OriginState>('origin-process.js');
  readonly corporate = new Process<ProxyOrder, { port: number }>('proxy-process.js');
  readonly #scratch = mkdtempSync(join(tmpdir(), 'sallyport-tunnels-'));
  #proxy: RunProxy | null = null;
  #request = '';

  async open(): Promise<void> {
    const { echo } = await this.origin.ask({ do: 'open' });
    const { port } = await this.corporate.ask({ port: 0 });
    this.#proxy = await startRunProxy({
      proxy: `http://127.0.0.1:${port}`,
      user: { typed: `${ALICE.domain}\\${ALICE.name}`, password: ALICE.password },
      dist: new URL('../../dist/', import.meta.url),
      scratch: this.#scratch,
      flags: [],
    });
    const { username, password } = new URL(this.#proxy.url);
    const credentials = Buffer.from(`${username}:${password}`).toString('base64');
    const lines = [`CONNECT 127.0.0.1:${echo} HTTP/1.1`, 'Host: x'];
    this.#request = `${lines.join('\r\n')}\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`;
  }

  async tunnel(): Promise<Tunnel> {
    const client = await TunnelClient.to(Number(new URL(this.#proxy?.url ?? '').port));
    client.socket.write(this.#request);
    return { client, status: (await inTime(client.head()))?.status ?? 0 };
  }

  /** In megabytes; `null` where there is no /proc. */
  get resident(): number | null {
    try {
      const status = readFileSync(`/proc/${this.#proxy?.pid}/status`, 'latin1');
      return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1000);
    } catch {
      return null;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.origin.end(),
      this.corporate.end(),
      this.#proxy?.[Symbol.asyncDispose](),
    ]);
    rmSync(this.#scratch, { recursive: true });
  }
}

async function main(): Promise<number> {
  const { values } = parseArguments({
    options: {
      tunnels: { type: 'string', default: '8000' },
      beyond: { type: 'string', default: '0' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [wanted, beyond] = [Number(values.tunnels), Number(values.beyond)];
  if (!(Number.isInteger(wanted) && wanted > 0 && Number.isInteger(beyond) && beyond >= 0)) {
    throw new UsageError('--tunnels and --beyond are whole numbers.');
  }
  await using stage = new Stage();
  await stage.open();
  const began = performance.now();
  const tunnels = await openAll(stage, wanted);
  const seconds = (performance.now() - began) / 1000;
  const open = tunnels.filter(({ status }) => status === 200);
  const echoing = await countEchoes(open);
  print(`tunnels open: ${open.length} of ${wanted} in ${seconds.toFixed(1)} s`);
  print(`tunnels that echo, all at once: ${echoing} of ${open.length}`);
  print(`resident, sallyport run: ${stage.resident ?? '-'} MB`);
  const more = await Promise.all(Array.from({ length: beyond }, () => stage.tunnel()));
  const count = (status: number): number => more.filter((one) => one.status === status).length;
  const told = [count(200), count(503)] as const;
  if (beyond > 0) {
    print(
      `${beyond} more at once: ${told[0]} open, ${told[1]} told 503, ${beyond - told[0] - told[1]} neither`,
    );
    print(`tunnels that echo still: ${await countEchoes(open)} of ${open.length}`);
  }
  for (const { client } of [...tunnels, ...more]) {
    client.socket.destroy();
  }
  return echoing === wanted && told[0] + told[1] === beyond ? 0 : 1;
}

async function openAll(stage: Stage, wanted: number): Promise<Tunnel[]> {
  const tunnels: Tunnel[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < wanted) {
      begun += 1;
      tunnels.push(await stage.tunnel());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return tunnels;
}

async function countEchoes(tunnels: readonly Tunnel[]): Promise<number> {
  const echoes = await Promise.all(
    tunnels.map(async ({ client }, at) => {
      const text = `tunnel ${at}`;
      client.socket.write(text);
      return (await inTime(client.bytes(text.length)))?.toString() === text;
    }),
  );
  return echoes.filter((isRight) => isRight).length;
}

function inTime<T>(work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), PATIENCE_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await runTool('bench:tunnels', main);
