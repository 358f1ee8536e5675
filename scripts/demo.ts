// `npm run demo`: a corporate proxy and an https origin in this process, a download through each scheme, and what it
// cost. `npm run demo -- --here URL` tries the network it stands in instead.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SallyportOptions } from 'sallyport';
import { createUpstream, formatProxyUrl, isSallyportError, resolveProxy } from 'sallyport';
import type { CorporateProxyOptions, Origin } from 'sallyport/testing';
import {
  createCorporateProxy,
  createOrigin,
  createTestCertificates,
  originBytes,
} from 'sallyport/testing';
import { parseArguments, runTool } from '../test/tool-arguments.ts';

const USAGE = `npm run demo -- [--here URL]

  --here URL  asks for this URL by way of the network this machine is in, with the environment and configuration of
              whoever runs it; a password only from SALLYPORT_PASSWORD

Examples:
  npm run demo
  npm run demo -- --here https://example.com/
`;

const BYTES = 10_000_000;
const ALICE = { name: 'alice', domain: 'CORP', password: 'Alice-Secret1' };
const BASIC_ALICE = { name: 'alice', password: ALICE.password };

interface Scene {
  readonly title: string;
  readonly proxy: CorporateProxyOptions;
  readonly client: SallyportOptions;
}

const certificates = createTestCertificates();

const SCENES: readonly Scene[] = [
  {
    title: 'NTLM',
    proxy: { schemes: ['NTLM'], users: [ALICE] },
    client: {},
  },
  {
    title: 'NTLM to a proxy behind TLS, bound to its certificate',
    proxy: { schemes: ['NTLM'], users: [ALICE], tls: certificates, requireChannelBinding: true },
    client: {},
  },
  {
    title: 'Negotiate carrying raw NTLM',
    proxy: { schemes: ['Negotiate'], users: [ALICE], negotiate: { raw: true, wrapped: false } },
    client: {},
  },
  {
    title: 'Negotiate carrying NTLM in SPNEGO (raw is refused first)',
    proxy: { schemes: ['Negotiate'], users: [ALICE], negotiate: { raw: false, wrapped: true } },
    client: {},
  },
  {
    title: 'NTLM at a proxy that closes the connection on its first 407',
    proxy: { schemes: ['Basic', 'NTLM'], users: [ALICE], habits: ['close-on-first-407'] },
    client: {},
  },
  {
    title: 'Digest with SHA-256, which never sends the password',
    proxy: { schemes: ['Digest'], users: [BASIC_ALICE], digest: { algorithms: ['SHA-256'] } },
    client: { user: 'alice' },
  },
  {
    title: 'Basic, allowed, inside TLS',
    proxy: { schemes: ['Basic'], users: [BASIC_ALICE], tls: certificates },
    client: { user: 'alice', auth: 'basic' },
  },
];

async function main(): Promise<number> {
  const { values } = parseArguments({
    options: { here: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  await (values.here === undefined ? playScenes() : tryHere(values.here));
  return 0;
}

async function playScenes(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-demo-'));
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, certificates.ca);
  // The wrong password below is not to be remembered: the demo may be run twice.
  process.env['SALLYPORT_STATE_DIR'] = join(folder, 'state');
  const origin = await createOrigin({ tls: certificates });
  try {
    say(`An https origin and one corporate proxy after the other, all in this process.`);
    say(`Each proxy checks every byte of the sign-on; ${BYTES / 1e6} MB come through each.\n`);
    for (const scene of SCENES) {
      await play(scene, origin, ca);
    }
    await refuseOnce(ca);
  } finally {
    await origin.close();
    await rm(folder, { recursive: true });
  }
}

async function play({ title, proxy: options, client }: Scene, origin: Origin, ca: string) {
  await using proxy = await createCorporateProxy(options);
  await using upstream = await createUpstream({
    proxy: proxy.url,
    user: 'CORP\\alice',
    password: ALICE.password,
    ca,
    env: {},
    ...client,
  });
  const started = performance.now();
  const response = await upstream.request(`${origin.url}/bytes/${BYTES}`);
  const signedOn = performance.now();
  const hash = createHash('sha256');
  for await (const piece of response.body) {
    hash.update(piece as Buffer);
  }
  const whole =
    hash.digest('hex') === createHash('sha256').update(originBytes(BYTES)).digest('hex');
  if (!whole || response.status !== 200) {
    throw new Error(`${title}: the download is not what the origin sent`);
  }
  const { connections, requests } = proxy.counts();
  say(`${title}`);
  say(
    `    offered ${options.schemes.join(', ')}; signed on with ${response.scheme} as ${response.identity}`,
  );
  say(
    `    ${count(connections, 'connection')}, ${count(requests, 'request')} until the tunnel stood, after ${ms(signedOn - started)}`,
  );
  say(`    ${BYTES / 1e6} MB in ${ms(performance.now() - signedOn)}, sha256 equal\n`);
}

/** The other half of the promise: a wrong password goes out once, whoever else was waiting. */
async function refuseOnce(ca: string): Promise<void> {
  await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
  await using upstream = await createUpstream({
    proxy: proxy.url,
    user: 'CORP\\alice',
    password: 'a wrong one',
    ca,
    env: {},
  });
  const asked = 20;
  const results = await Promise.allSettled(
    Array.from({ length: asked }, () => upstream.openTunnel('127.0.0.1:9')),
  );
  const refused = results.filter(
    (result) => result.status === 'rejected' && isSallyportError(result.reason),
  ).length;
  const lastLegs = proxy.counts().finalLegs['CORP\\alice'] ?? 0;
  say(`A wrong password, ${asked} requests at once`);
  say(`    ${refused} of them refused; the proxy saw ${count(lastLegs, 'wrong logon')}`);
  if (lastLegs !== 1) {
    throw new Error('a wrong password must be sent once');
  }
}

/** With the environment and configuration of whoever runs it; a password only from SALLYPORT_PASSWORD. */
async function tryHere(url: string): Promise<void> {
  const route = await resolveProxy(url);
  say(
    route.kind === 'proxy'
      ? `${url} goes through ${formatProxyUrl(route.proxy)} (from ${route.source.name})`
      : `${url} is reached directly (${route.source.name})`,
  );
  await using upstream = await createUpstream();
  const started = performance.now();
  const response = await upstream.request(url);
  let bytes = 0;
  for await (const piece of response.body) {
    bytes += (piece as Buffer).length;
  }
  const signOn =
    response.scheme === null
      ? 'no sign-on was asked for'
      : `signed on with ${response.scheme} as ${response.identity}`;
  say(
    `${response.status} ${response.reason}, ${bytes} bytes in ${ms(performance.now() - started)}; ${signOn}`,
  );
  say(`${count(response.connections, 'connection')}, ${count(response.legs, 'request')} for it`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function ms(duration: number): string {
  return `${Math.round(duration)} ms`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await runTool('demo', main, (error) => {
  const hint = isSallyportError(error) && error.hint !== undefined ? ` ${error.hint}` : '';
  return `${error instanceof Error ? error.message : String(error)}.${hint}`;
});
