// curl as a contender: the peer everybody has. Each measurement is a process of its own, timed by its own clock, so
// that its start does not count.
import type { Measurable, Sample } from './contender.ts';
import { sampleOf } from './contender.ts';
import { curlConfig } from './curl-config.ts';
import type { Relay } from './relays.ts';
import { runProcess } from './run-process.ts';

export interface CurlContender {
  readonly title: string;
  /** `http://host:port` of the proxy, or of the relay in front of it. */
  readonly proxy: string;
  readonly relay: Relay | null;
  /** The first two begin at once, the others ask the proxy first. */
  readonly auth: 'proxy-ntlm' | 'proxy-negotiate' | 'proxy-digest' | 'proxy-anyauth';
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
  const config = curlConfig({
    url,
    proxy,
    user,
    flags: ['proxytunnel', auth],
    // After the name, the TCP connection and the tunnel; the relay's watch is held against it.
    writeOut: '%{http_connect} %{num_connects} %{time_pretransfer}',
  });
  const { code, stdout } = await runProcess('curl', ['-q', '--config', '-'], { input: config });
  const [status, connections, seconds] = stdout.split(' ').map(Number);
  if (code !== 0 || status !== 200 || connections !== 1 || seconds === undefined) {
    throw new Error(`curl ended with ${code}: ${stdout}`);
  }
  const seen = await relay?.passages();
  const last = seen?.at(-1);
  return sampleOf(seconds * 1000, { legs: last?.legs ?? null, relayMs: last?.tunnelMs ?? null });
}
