// curl as a contender: the peer everybody has. Each measurement is a process of its own, timed by its own clock, so
// that its start does not count.
import { spawn } from 'node:child_process';
import type { Measurable, Sample } from './contender.ts';
import type { Relay } from './relays.ts';

export interface CurlContender {
  readonly title: string;
  /** `http://host:port` of the proxy, or of the relay in front of it. */
  readonly proxy: string;
  readonly relay: Relay | null;
  /** The first two begin at once, `--proxy-anyauth` asks the proxy first. */
  readonly auth: 'proxy-ntlm' | 'proxy-negotiate' | 'proxy-anyauth';
  /** `null` for the signed-in one. */
  readonly user: { readonly typed: string; readonly password: string } | null;
  /** An http:// URL: the tunnel to it needs no TLS, so its first request marks the end of the CONNECT. */
  readonly url: string;
}

export function curlContender(contender: CurlContender): Measurable {
  const { title } = contender;
  return { title, measure: () => tunnelTime(contender) };
}

async function tunnelTime({ proxy, relay, auth, user, url }: CurlContender): Promise<Sample> {
  // By standard input: a password is no argument.
  const config = [
    `url = ${quote(url)}`,
    `proxy = ${quote(proxy)}`,
    `proxy-user = ${quote(user === null ? ':' : `${user.typed}:${user.password}`)}`,
    'noproxy = ""',
    'proxytunnel',
    auth,
    'silent',
    'output = "/dev/null"',
    // After the name, the TCP connection and the tunnel; the relay's watch is held against it.
    'write-out = "%{http_connect} %{num_connects} %{time_pretransfer}"',
  ].join('\n');
  const { code, stdout } = await runCurl(['-q', '--config', '-'], config);
  const [status, connections, seconds] = stdout.split(' ').map(Number);
  if (code !== 0 || status !== 200 || connections !== 1 || seconds === undefined) {
    throw new Error(`curl ended with ${code}: ${stdout}`);
  }
  const seen = await relay?.passages();
  const last = seen?.at(-1);
  return { ms: seconds * 1000, legs: last?.legs ?? null, relayMs: last?.tunnelMs ?? null };
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

function runCurl(
  args: readonly string[],
  input: string,
): Promise<{ readonly code: number | null; readonly stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('curl', args, { stdio: ['pipe', 'pipe', 'ignore'], timeout: 20_000 });
    const output: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => output.push(piece));
    child.stdin.on('error', () => undefined).end(input);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(output).toString() }));
  });
}
