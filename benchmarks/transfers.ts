// One transfer of many bytes, by each client that can do it: what it reaches in MB/s, by which clock, and the CPU time it takes.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { HttpResponse, Upstream } from 'sallyport';
import { createUpstream } from 'sallyport';
import { LAB } from '../test/lab/lab.ts';
import type { Measurable, Sample } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { CurlTask } from './curl-config.ts';
import { curlConfig } from './curl-config.ts';
import type { LocalProxy } from './local-proxy.ts';
import type { Timed } from './run-process.ts';
import { runTimed } from './run-process.ts';

export interface Transfer {
  readonly title: string;
  readonly url: string;
  /** What the body must have. */
  readonly bytes: number;
  /** The authority of an https:// URL. */
  readonly ca: string;
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

/** `request()` in this process, which is warm; the bytes are counted and dropped. */
export function libraryTransfer(
  { title, url, bytes, ca }: Transfer,
  proxy: string,
  home: string,
): Measurable {
  const engine = lazyEngine(proxy, home, ca);
  return {
    title,
    measure: async () => {
      const upstream = await engine();
      const cost = startCost();
      const { status, scheme, body, legs, connections } = await upstream.request(url);
      let received = 0;
      for await (const piece of body as AsyncIterable<Buffer>) {
        received += piece.length;
      }
      const { ms, cpuMs } = cost();
      if (status !== 200 || scheme !== 'NTLM' || received !== bytes || connections !== 1) {
        throw new Error(`${status} by ${scheme}, ${received} bytes, ${connections} connections`);
      }
      return { ...transferSample(bytes, ms / 1000, cpuMs), legs };
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
  { file, home }: { file: string; home: string },
): Measurable {
  const engine = lazyEngine(proxy, home, ca);
  return {
    title,
    measure: async () => {
      const upstream = await engine();
      const cost = startCost();
      const response = await upstream.request(url, {
        method: 'PUT',
        headers: [['Content-Length', String(bytes)]],
        body: () => createReadStream(file),
      });
      const counted = await textOf(response);
      const { ms, cpuMs } = cost();
      if (response.status !== 200 || counted !== String(bytes)) {
        throw new Error(`${response.status}: ${counted.slice(0, 80)}`);
      }
      return { ...transferSample(bytes, ms / 1000, cpuMs), legs: response.legs };
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

/**
 * One engine for all rounds: what it trusts is read from the disk once. It is closed from the start, so that it keeps no
 * connection: each transfer signs on to one of its own, as curl does.
 */
function lazyEngine(proxy: string, home: string, ca: string): () => Promise<Upstream> {
  const { typed: user, password } = users.alice;
  const options = { proxy, user, password, auth: 'ntlm', ca, env: { HOME: home } };
  let engine: Upstream | undefined;
  return async () => {
    if (engine === undefined) {
      engine = await createUpstream(options);
      await engine.close();
    }
    return engine;
  };
}

function startCost(): () => { readonly ms: number; readonly cpuMs: number } {
  const used = process.cpuUsage();
  const started = performance.now();
  return () => {
    const ms = performance.now() - started;
    const { user, system } = process.cpuUsage(used);
    return { ms, cpuMs: (user + system) / 1000 };
  };
}

function transferSample(bytes: number, seconds: number, cpuMs: number | null): Sample {
  const cpuPerGb = cpuMs === null ? null : cpuMs / 1000 / (bytes / GB);
  return sampleOf(bytes / MB / seconds, { cpuPerGb });
}

async function textOf({ body }: HttpResponse): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of body as AsyncIterable<Buffer>) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}
