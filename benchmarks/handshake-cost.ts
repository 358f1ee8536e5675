// What a sign-on costs the client in CPU time: of this process, warm, for each CONNECT; and of a curl process with a sign-on
// and without.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SallyportOptions } from 'sallyport';
import { createUpstream } from 'sallyport';
import { LAB } from '../test/lab/lab.ts';
import type { Measurable } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { CurlTask } from './curl-config.ts';
import { curlConfig } from './curl-config.ts';
import { runTimed } from './run-process.ts';
import type { Entry, Scenery } from './scenery.ts';
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
  return sceneryOf([...ourEntries(input), ...curlEntries(input)], 'cost');
}

function ourEntries(input: HandshakeCostInput): Entry[] {
  const { typed: user, name, password } = users.alice;
  const ticket = { spn: `HTTP/${proxies.kerberos.host}`, auth: 'negotiate' };
  const above = { against: 'open', isDifference: true };
  const ours = (title: string, port: number, options: SallyportOptions, scheme: string | null) =>
    connects(title, { ...options, proxy: `http://127.0.0.1:${port}` }, scheme, input);
  const { open, ntlm, kerberos, digest } = proxies;
  return [
    { name: 'open', contender: ours('a CONNECT without sign-on', open.port, {}, null) },
    {
      ...{ name: 'ntlm', ...above },
      contender: ours('with NTLM', ntlm.port, { user, password, auth: 'ntlm' }, 'NTLM'),
    },
    {
      ...{ name: 'ticket', ...above },
      contender: ours('with Kerberos, ticket cached', kerberos.port, ticket, 'Negotiate'),
    },
    {
      ...{ name: 'digest', ...above },
      // Its password file knows no domain.
      contender: ours(
        'with Digest, nonce at hand',
        digest.port,
        { user: name, password, auth: 'digest' },
        'Digest',
      ),
    },
  ];
}

function curlEntries(input: HandshakeCostInput): Entry[] {
  const { typed, name, password } = users.alice;
  const above = { against: 'curl-open', isDifference: true };
  const curl = (
    title: string,
    { port }: { readonly port: number },
    flag: string | null,
    user?: CurlTask['user'],
  ): Measurable => {
    const flags = flag === null ? ['proxytunnel'] : ['proxytunnel', flag];
    const signOn = user === undefined ? {} : { user };
    const task = { proxy: `http://127.0.0.1:${port}`, flags, ...signOn };
    return curlProcesses(title, task, input);
  };
  const { open, ntlm, kerberos, digest } = proxies;
  return [
    { name: 'curl-open', contender: curl('a curl process without sign-on', open, null) },
    {
      ...{ name: 'curl-ntlm', ...above },
      contender: curl('curl with NTLM', ntlm, 'proxy-ntlm', { typed, password }),
    },
    {
      ...{ name: 'curl-ticket', ...above },
      contender: curl('curl with Kerberos, ticket cached', kerberos, 'proxy-negotiate', null),
    },
    {
      ...{ name: 'curl-digest', ...above },
      contender: curl('curl with Digest', digest, 'proxy-digest', { typed: name, password }),
    },
  ];
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

/** One process after the other: the shell tells its children's CPU time in whole milliseconds. */
function curlProcesses(
  title: string,
  how: Pick<CurlTask, 'proxy' | 'user' | 'flags'>,
  { scratch, repeats }: HandshakeCostInput,
): Measurable {
  const config = curlConfig({ ...how, url: FILE, writeOut: '%{http_code} ' });
  const file = join(scratch, `${title.replaceAll(/\W+/g, '-')}.curl`);
  const loop = `for ((at = 0; at < ${repeats}; at++)); do curl -q --config "$0" || exit; done`;
  return {
    title,
    measure: async () => {
      await writeFile(file, config, { mode: 0o600 });
      const { code, stdout, cpuMs } = await runTimed('bash', ['-c', loop, file]);
      if (code !== 0 || stdout !== '200 '.repeat(repeats)) {
        throw new Error(`curl ended with ${code}: ${stdout.slice(0, 80)}`);
      }
      return sampleOf(cpuMs / repeats);
    },
  };
}
