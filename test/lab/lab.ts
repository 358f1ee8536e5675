// The lab as test suites see it: addresses, users and files, and the door that brings it up.
// Repeats env.sh on purpose (lab.test.ts holds the two together); starts nothing but up.sh.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIRECTORY = process.env['SALLYPORT_LAB_DIR'] ?? '/var/tmp/sallyport-lab';
const PROXY_HOST = 'proxy.corp.example';
const ORIGIN_HOST = 'origin.corp.example';

/** Everything a test names: what each proxy offers stands in README.md. */
export const LAB = {
  directory: DIRECTORY,
  /** Signs the certificates of all TLS ports, proxies and origins alike. */
  ca: join(DIRECTORY, 'pki/ca.crt'),
  proxies: {
    all: endpoint(PROXY_HOST, 3128),
    ntlm: endpoint(PROXY_HOST, 3129),
    kerberos: endpoint(PROXY_HOST, 3130),
    basic: endpoint(PROXY_HOST, 3131),
    digest: endpoint(PROXY_HOST, 3132),
    negotiate: endpoint(PROXY_HOST, 3133),
    open: endpoint(PROXY_HOST, 3134),
    ntlmBasic: endpoint(PROXY_HOST, 3135),
    spnego: endpoint(PROXY_HOST, 3136),
    ntlmClose: endpoint(PROXY_HOST, 3137),
    rolled: endpoint(PROXY_HOST, 3138),
    ntlmFew: endpoint(PROXY_HOST, 3139),
    tls: endpoint(PROXY_HOST, 3443, 'https'),
    cntlm: endpoint('127.0.0.1', 3140),
    apache: endpoint('aproxy.corp.example', 3150),
  },
  /** Base URLs without a trailing slash. */
  origins: {
    http: `http://${ORIGIN_HOST}:8080`,
    https: `https://${ORIGIN_HOST}:8443`,
    auth: `http://${ORIGIN_HOST}:8081`,
    authTls: `https://${ORIGIN_HOST}:8444`,
    ntlm: `http://${ORIGIN_HOST}:8082`,
  },
  users: {
    alice: corpUser('alice', 'Alice-Secret1'),
    bob: corpUser('bob', 'B0b:pass%word@x'),
    zoe: corpUser('zoë', 'Pä55wörd-€ß'),
    /** A disabled account. */
    carol: corpUser('carol', 'Car0l-Secret'),
    /** Must change the password at the next logon. */
    dave: corpUser('dave', 'Dave-Secret1'),
    /** Alice again, typed as a user principal name: no domain goes over the wire. */
    aliceUpn: {
      name: 'alice@corp.example',
      domain: '',
      upn: 'alice@corp.example',
      password: 'Alice-Secret1',
      typed: 'alice@corp.example',
    },
  },
  /** Served by the origins http, https and ntlm under `/NAME`. */
  files: {
    small: { name: 'small.txt', bytes: 18 },
    medium: { name: 'medium.bin', bytes: 1_048_576 },
    large: { name: 'large.bin', bytes: 104_857_600 },
  },
  /** What a process needs to find the realm and alice's ticket. */
  environment: {
    KRB5_CONFIG: join(DIRECTORY, 'krb/krb5.conf'),
    KRB5CCNAME: `FILE:${join(DIRECTORY, 'krb/cc_alice')}`,
  },
} as const;

/** Name of a file the origins serve. */
export type LabFile = keyof typeof LAB.files;

/** Whether tests can use the lab; `reason` is one line for the reader of a skipped run. */
export type LabState = { available: true } | { available: false; reason: string };

/**
 * Brings the lab up where it can be had; takes well under a second when it is up already.
 *
 * @throws Error when it does not come up on a machine that can have it and `CI=true`: there, a run
 * that skips its tests must not pass for a good one.
 */
export async function ensureLab(): Promise<LabState> {
  const state = labState();
  if (!state.available) {
    return state;
  }
  const exitCode = await runUp();
  if (exitCode === 0) {
    return state;
  }
  const reason = `test/lab/up.sh failed with exit code ${exitCode}`;
  if (process.env['CI'] === 'true') {
    throw new Error(reason);
  }
  return { available: false, reason };
}

/** SHA-256 of a file the origins serve, in lower-case hex. */
export function sha256(file: LabFile): string {
  const sums = readFileSync(join(DIRECTORY, 'origin/www/SHA256SUMS'), 'utf8');
  const { name } = LAB.files[file];
  const line = sums.split('\n').find((row) => row.endsWith(`  ${name}`));
  if (line === undefined) {
    throw new Error(`SHA256SUMS has no ${name}`);
  }
  return line.slice(0, 64);
}

/** Whether this machine can have the lab (Debian or kin, and root); starts nothing. */
function labState(): LabState {
  if (!existsSync('/etc/debian_version')) {
    return { available: false, reason: 'the lab needs Debian' };
  }
  if (process.getuid?.() !== 0) {
    return { available: false, reason: 'the lab needs root' };
  }
  return { available: true };
}

function endpoint(host: string, port: number, scheme = 'http') {
  return { host, port, url: `${scheme}://${host}:${port}` };
}

function corpUser(name: string, password: string) {
  return {
    name,
    domain: 'CORP',
    upn: `${name}@corp.example`,
    password,
    typed: `CORP\\${name}`,
  };
}

async function runUp(): Promise<number | null> {
  const script = fileURLToPath(new URL('./up.sh', import.meta.url));
  const child = spawn('bash', [script], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return exitCode;
}
