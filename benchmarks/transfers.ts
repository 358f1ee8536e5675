// One transfer of many bytes, by each client that can do it: what it reaches in MB/s, by which clock, and the CPU time it takes.
import { stat } from 'node:fs/promises';
import type { SallyportOptions } from 'sallyport';
import { LAB } from '../test/lab/lab.ts';
import type { Measurable, Sample } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { CurlTask } from './curl-config.ts';
import { curlConfig } from './curl-config.ts';
import type { LocalProxy } from './local-proxy.ts';
import type { Timed } from './run-process.ts';
import { runTimed } from './run-process.ts';
import type { TransferClients } from './transfer-client.ts';
import type { TransferReport } from './transfer-process.ts';

export interface Transfer {
  readonly title: string;
  readonly url: string;
  /** What the body must have. */
  readonly bytes: number;
  /** The authority of an https:// URL. */
  readonly ca: string;
}

/** Where Sallyport runs. */
export interface LibraryPlace {
  readonly clients: TransferClients;
  readonly home: string;
}

const { users } = LAB;
const MB = 1e6;
const GB = 1e9;

/** By curl's own clock, `/dev/null` unless a file is given: then by that of the whole process. */
export function curlTransfer(
  { title, url, bytes, ca }: Transfer,
  proxy: string,
  file?: string,
): Measurable {
  const signedOn = withNtlm(curlTask(url, proxy, ca));
  const task = file === undefined ? signedOn : { ...signedOn, output: file };
  return {
    title,
    measure: async () => {
      const ended = await curl(task);
      const told = expectBytes(ended, bytes);
      const seconds = file === undefined ? told : ended.ms / 1000;
      return transferSample(bytes, seconds, ended.cpuMs);
    },
  };
}

/** curl without a sign-on, through a proxy on this machine that signs on; the CPU time is that of the proxy. */
export function peerTransfer(
  { title, url, bytes, ca }: Transfer,
  start: () => Promise<LocalProxy>,
): Measurable {
  return {
    title,
    measure: async () => {
      const proxy = await start();
      const before = await proxy.cpuMs();
      const seconds = expectBytes(await curl(curlTask(url, proxy.url, ca)), bytes);
      const after = await proxy.cpuMs();
      const cpuMs = before === null || after === null ? null : after - before;
      return transferSample(bytes, seconds, cpuMs);
    },
  };
}

/** `request()` in a warm process of its own; the bytes are counted and dropped. */
export function libraryTransfer(
  { title, url, bytes, ca }: Transfer,
  proxy: string,
  { clients, home }: LibraryPlace,
): Measurable {
  const order = { options: libraryOptions(proxy, home, ca), url, upload: null };
  return {
    title,
    measure: async () => {
      const report = await clients.transfer(title, order);
      if (report.bytes !== bytes) {
        throw new Error(`${report.bytes} bytes instead of ${bytes}`);
      }
      return librarySample(report, bytes);
    },
  };
}

/** `sallyport get -o FILE`, by the clock of the whole process. */
export function commandTransfer(
  { title, url, bytes, ca }: Transfer,
  proxy: string,
  { main, args, file, home }: { main: string; args: readonly string[]; file: string; home: string },
): Measurable {
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    SALLYPORT_USER: users.alice.typed,
    SALLYPORT_PASSWORD: users.alice.password,
    SALLYPORT_AUTH: 'ntlm',
    SALLYPORT_CA: ca,
  };
  return {
    title,
    measure: async () => {
      const all = [main, 'get', '--proxy', proxy, '-o', file, ...args, url];
      const { code, stderr, ms, cpuMs } = await runTimed(process.execPath, all, { env });
      if (code !== 0 || (await stat(file)).size !== bytes) {
        throw new Error(`sallyport ended with ${code}: ${stderr.trim().split('\n')[0]}`);
      }
      return transferSample(bytes, ms / 1000, cpuMs);
    },
  };
}

/** The same file each time, by curl's own clock. */
export function curlUpload(
  { title, url, bytes, ca }: Transfer,
  proxy: string,
  file: string,
): Measurable {
  const settings = {
    cacert: ca,
    'upload-file': file,
    // Not to wait for a word that the body may come: Sallyport does not, either.
    header: 'Expect:',
  };
  const writeOut = WRITE_OUT.replace('download', 'upload');
  const task = { ...withNtlm(curlTask(url, proxy, ca)), settings, writeOut };
  return {
    title,
    measure: async () => {
      const ended = await curl(task);
      return transferSample(bytes, expectBytes(ended, bytes), ended.cpuMs);
    },
  };
}

export function libraryUpload(
  { title, url, bytes, ca }: Transfer,
  proxy: string,
  { clients, home, file }: LibraryPlace & { readonly file: string },
): Measurable {
  const order = { options: libraryOptions(proxy, home, ca), url, upload: { file, bytes } };
  return {
    title,
    measure: async () => {
      const report = await clients.transfer(title, order);
      if (report.text !== String(bytes)) {
        throw new Error(`${report.text} bytes instead of ${bytes}`);
      }
      return librarySample(report, bytes);
    },
  };
}

const WRITE_OUT = '%{http_code} %{size_download} %{time_total}';

function curlTask(url: string, proxy: string, ca: string): CurlTask {
  return { url, proxy, settings: { cacert: ca }, writeOut: WRITE_OUT };
}

function withNtlm(task: CurlTask): CurlTask {
  return { ...task, user: users.alice, flags: ['proxy-ntlm'] };
}

function curl(task: CurlTask): Promise<Timed> {
  return runTimed('curl', ['-q', '--config', '-'], { input: curlConfig(task) });
}

/** @returns curl's own time in seconds */
function expectBytes({ code, stdout }: Timed, bytes: number): number {
  const [status, size, seconds] = stdout.split(' ').map(Number);
  if (code !== 0 || status !== 200 || size !== bytes || seconds === undefined) {
    throw new Error(`curl ended with ${code}: ${stdout.slice(0, 80)}`);
  }
  return seconds;
}

function libraryOptions(proxy: string, home: string, ca: string): SallyportOptions {
  const { typed: user, password } = users.alice;
  return { proxy, user, password, auth: 'ntlm', ca, env: { HOME: home } };
}

function librarySample(report: TransferReport, bytes: number): Sample {
  const { status, scheme, connections, legs, ms, cpuMs } = report;
  if (status !== 200 || scheme !== 'NTLM' || connections !== 1) {
    throw new Error(`${status} by ${scheme} over ${connections} connections`);
  }
  return { ...transferSample(bytes, ms / 1000, cpuMs), legs };
}

function transferSample(bytes: number, seconds: number, cpuMs: number | null): Sample {
  const cpuPerGb = cpuMs === null ? null : cpuMs / 1000 / (bytes / GB);
  return sampleOf(bytes / MB / seconds, { cpuPerGb });
}
