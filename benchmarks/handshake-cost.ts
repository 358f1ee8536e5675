// What a sign-on costs the client in CPU time: of this process, warm, for each CONNECT; and of a curl process with a sign-on
// and without.
import type { SallyportOptions } from 'sallyport';
import { createUpstream } from 'sallyport';
import { LAB } from '../test/lab/lab.ts';
import type { Measurable } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { CurlTask } from './curl-config.ts';
import { curlConfig } from './curl-config.ts';
import { runTimed } from './run-process.ts';
import type { Scenery } from './scenery.ts';
import { sceneryOf } from './scenery.ts';

export interface HandshakeCostInput {
  /** A folder of this run. */
  readonly scratch: string;
  /** CONNECTs of one sample, one after the other. */
  readonly repeats: number;
}

const { proxies, origins, users, files } = LAB;
const TARGET = new URL(origins.http).host;
const FILE = `${origins.http}/${files.small.name}`;

export async function prepareHandshakeCost(input: HandshakeCostInput): Promise<Scenery> {
  const { typed: user, password } = users.alice;
  const ticket = { spn: `HTTP/${proxies.kerberos.host}`, auth: 'negotiate' };
  const above = { against: 'open', isDifference: true };
  const aboveCurl = { against: 'curl-open', isDifference: true };
  const ours = (title: string, port: number, options: SallyportOptions, scheme: string | null) =>
    connects(title, { ...options, proxy: `http://127.0.0.1:${port}` }, scheme, input);
  const curl = (title: string, port: number, how: Pick<CurlTask, 'user' | 'flags'>) =>
    curlProcess(title, { ...how, proxy: `http://127.0.0.1:${port}` });
  const digest = { user, password, auth: 'digest' };
  return sceneryOf(
    [
      {
        name: 'open',
        contender: ours('a CONNECT without sign-on', proxies.open.port, {}, null),
      },
      {
        ...{ name: 'ntlm', ...above },
        contender: ours('with NTLM', proxies.ntlm.port, { user, password, auth: 'ntlm' }, 'NTLM'),
      },
      {
        ...{ name: 'ticket', ...above },
        contender: ours('with Kerberos, ticket cached', proxies.kerberos.port, ticket, 'Negotiate'),
      },
      {
        ...{ name: 'digest', ...above },
        contender: ours('with Digest', proxies.digest.port, digest, 'Digest'),
      },
      {
        name: 'curl-open',
        contender: curl('a curl process, CONNECT without sign-on', proxies.open.port, {
          flags: ['proxytunnel'],
        }),
      },
      {
        ...{ name: 'curl-ntlm', ...aboveCurl },
        contender: curl('with NTLM', proxies.ntlm.port, {
          user: users.alice,
          flags: ['proxytunnel', 'proxy-ntlm'],
        }),
      },
      {
        ...{ name: 'curl-ticket', ...aboveCurl },
        contender: curl('with Kerberos, ticket cached', proxies.kerberos.port, {
          user: null,
          flags: ['proxytunnel', 'proxy-negotiate'],
        }),
      },
      {
        ...{ name: 'curl-digest', ...aboveCurl },
        contender: curl('with Digest', proxies.digest.port, {
          user: users.alice,
          flags: ['proxytunnel', 'proxy-digest'],
        }),
      },
    ],
    'cost',
  );
}

/** One engine for all rounds: code and proxy are known, each connection is new. */
function connects(
  title: string,
  options: SallyportOptions,
  expected: string | null,
  { scratch, repeats }: HandshakeCostInput,
): Measurable {
  let upstream: Awaited<ReturnType<typeof createUpstream>> | undefined;
  return {
    title,
    measure: async () => {
      upstream ??= await createUpstream({ ...options, env: { HOME: scratch } });
      const before = process.cpuUsage();
      let legs = 0;
      for (let at = 0; at < repeats; at += 1) {
        const result = await upstream.connect(TARGET);
        result.socket.on('error', () => undefined).destroy();
        if (result.status !== 200 || result.scheme !== expected) {
          throw result.refusal ?? new Error(`${result.status} by ${result.scheme}`);
        }
        legs = result.legs;
      }
      const { user, system } = process.cpuUsage(before);
      return sampleOf((user + system) / 1000 / repeats, { legs });
    },
  };
}

function curlProcess(title: string, how: Pick<CurlTask, 'proxy' | 'user' | 'flags'>): Measurable {
  const input = curlConfig({ ...how, url: FILE, writeOut: '%{http_code}' });
  return {
    title,
    measure: async () => {
      const { code, stdout, cpuMs } = await runTimed('curl', ['-q', '--config', '-'], { input });
      if (code !== 0 || stdout !== '200') {
        throw new Error(`curl ended with ${code}: ${stdout}`);
      }
      return sampleOf(cpuMs);
    },
  };
}
