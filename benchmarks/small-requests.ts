// The contenders of many small requests: one process, one connection that is signed on once, one request after the other.
import type { SallyportOptions } from 'sallyport';
import { createUpstream } from 'sallyport';
import { LAB } from '../test/lab/lab.ts';
import type { Measurable, Sample } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { CurlTask } from './curl-config.ts';
import { curlConfig } from './curl-config.ts';
import { PeerGroup } from './peer-group.ts';
import { runProcess } from './run-process.ts';
import type { Scenery } from './scenery.ts';
import { sceneryOf } from './scenery.ts';

export interface SmallRequestsInput {
  /** A folder of this run. */
  readonly scratch: string;
  /** Requests of one sample. */
  readonly requests: number;
}

const { proxies, origins, users, files } = LAB;
const PROXY = `http://127.0.0.1:${proxies.ntlm.port}`;
const URL_OF_FILE = `${origins.http}/${files.small.name}`;

export async function prepareSmallRequests(input: SmallRequestsInput): Promise<Scenery> {
  const peers = new PeerGroup(new URL(PROXY).host, input.scratch);
  const entries = [
    {
      name: 'curl',
      contender: {
        title: 'curl, one process',
        measure: () => byCurl({ proxy: PROXY, user: users.alice, flags: ['proxy-ntlm'] }, input),
      },
    },
    { name: 'library', against: 'curl', contender: byLibrary(input) },
    ...peers.members.map(({ name, start }) => ({
      ...{ name, against: 'curl' },
      contender: {
        title: `curl, one process, by way of ${name}`,
        measure: async () => byCurl({ proxy: (await start()).url }, input),
      },
    })),
  ];
  return sceneryOf(entries, 'small', peers);
}

/** Its own time of each request, added up: what it does between them does not count. Peers may close each connection. */
async function byCurl(
  how: Pick<CurlTask, 'proxy' | 'user' | 'flags'>,
  { requests }: SmallRequestsInput,
): Promise<Sample> {
  const config = curlConfig({
    ...how,
    url: `${URL_OF_FILE}?[1-${requests}]`,
    writeOut: '%{http_code} %{num_connects} %{time_total}\n',
  });
  const { code, stdout } = await runProcess('curl', ['-q', '--config', '-'], { input: config });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  const fine = lines.filter(([status, , seconds]) => status === 200 && seconds !== undefined);
  const connections = sum(lines.map(([, count = 0]) => count));
  const isWhole = code === 0 && fine.length === requests;
  if (!isWhole || (how.user !== undefined && connections !== 1)) {
    throw new Error(`curl ended with ${code}: ${fine.length} answers, ${connections} connections`);
  }
  return sampleOf(requests / sum(fine.map(([, , seconds = 0]) => seconds)));
}

function byLibrary({ scratch, requests }: SmallRequestsInput): Measurable {
  const { typed: user, password } = users.alice;
  const options: SallyportOptions = {
    ...{ proxy: PROXY, user, password, auth: 'ntlm' },
    env: { HOME: scratch },
  };
  return {
    title: 'request(), one engine',
    measure: async () => {
      await using upstream = await createUpstream(options);
      const started = performance.now();
      let connections = 0;
      for (let at = 0; at < requests; at += 1) {
        const response = await upstream.request(`${URL_OF_FILE}?${at}`);
        connections += response.connections;
        await readThrough(response.body);
        if (response.status !== 200) {
          throw new Error(`${response.status} ${response.reason}`);
        }
      }
      const seconds = (performance.now() - started) / 1000;
      if (connections !== 1) {
        throw new Error(`${connections} connections`);
      }
      return sampleOf(requests / seconds);
    },
  };
}

async function readThrough(body: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of body) {
    // Dropped, as curl drops it.
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
