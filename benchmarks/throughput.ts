// The contenders of throughput: one large file down and up through the lab's squid with NTLM, forwarded and by tunnel. Owns who
// is compared with whom, and the targets.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAB, sha256 } from '../test/lab/lab.ts';
import { PeerGroup } from './peer-group.ts';
import type { Entry, Scenery } from './scenery.ts';
import { sceneryOf, withoutTarget } from './scenery.ts';
import type { Sink } from './sink.ts';
import { startSink } from './sink.ts';
import { TransferClients } from './transfer-client.ts';
import type { Transfer } from './transfers.ts';
import {
  commandTransfer,
  curlTransfer,
  curlUpload,
  libraryTransfer,
  libraryUpload,
  peerTransfer,
} from './transfers.ts';

export interface ThroughputInput {
  /** A folder of this run. */
  readonly scratch: string;
  /** The built package, as a `file:` URL that ends in a slash. */
  readonly dist: URL;
  /** One of the lab's files. 1 MiB is mostly the sign-on and the start of a process: it is shown, not judged. */
  readonly size: 'medium' | 'large';
}

/** Of curl's throughput. */
const MIN_LIBRARY_RATIO = 0.8;
/** The same for a process that has to start, and computes the digest. */
const MIN_COMMAND_RATIO = 0.5;

const { proxies, origins, files, directory, ca } = LAB;
/** By address: nobody's name lookup counts. */
const PROXY = `http://127.0.0.1:${proxies.ntlm.port}`;

export async function prepareThroughput(input: ThroughputInput): Promise<Scenery> {
  const sink = await startSink(input.scratch);
  const peers = new PeerGroup(new URL(PROXY).host, input.scratch);
  const clients = new TransferClients();
  const entries = [
    ...downloads(input, clients),
    ...throughPeers(input, peers),
    ...uploads(input, clients, sink),
  ];
  const live = {
    [Symbol.asyncDispose]: async () => {
      await clients[Symbol.asyncDispose]();
      await peers[Symbol.asyncDispose]();
      await sink[Symbol.asyncDispose]();
    },
  };
  const shown = input.size === 'medium' ? entries.map(withoutTarget) : entries;
  return sceneryOf(shown, 'throughput', live);
}

function downloads(input: ThroughputInput, clients: TransferClients): Entry[] {
  const { scratch, dist, size } = input;
  const main = fileURLToPath(new URL('cli/main.js', dist));
  const command = { main, home: scratch, file: join(scratch, 'by-sallyport.bin') };
  const digest = sha256(size);
  const place = { clients, home: scratch };
  const forwarded = (title: string): Transfer => download(title, 'http', input);
  const tunnelled = (title: string): Transfer => download(title, 'https', input);
  return [
    { name: 'curl', contender: curlTransfer(forwarded('curl -o /dev/null, http'), PROXY) },
    {
      ...{ name: 'library', against: 'curl', minRatio: MIN_LIBRARY_RATIO },
      contender: libraryTransfer(forwarded('request(), to memory, http'), PROXY, place),
    },
    { name: 'curl-tls', contender: curlTransfer(tunnelled('curl -o /dev/null, https'), PROXY) },
    {
      ...{ name: 'library-tls', against: 'curl-tls', minRatio: MIN_LIBRARY_RATIO },
      contender: libraryTransfer(tunnelled('request(), to memory, https'), PROXY, place),
    },
    {
      name: 'curl-file',
      contender: curlTransfer(
        forwarded('curl -o FILE, http, whole process'),
        PROXY,
        join(scratch, 'by-curl.bin'),
      ),
    },
    {
      ...{ name: 'get', against: 'curl-file' },
      contender: commandTransfer(forwarded('sallyport get -o FILE, http, whole process'), PROXY, {
        ...command,
        args: [],
      }),
    },
    {
      ...{ name: 'get-digest', against: 'curl-file', minRatio: MIN_COMMAND_RATIO },
      contender: commandTransfer(forwarded('sallyport get -o FILE --sha256, the same'), PROXY, {
        ...command,
        args: ['--sha256', digest],
      }),
    },
  ];
}

function throughPeers(input: ThroughputInput, peers: PeerGroup): Entry[] {
  return peers.members.map(({ name, start }) => ({
    ...{ name, against: 'curl' },
    contender: peerTransfer(
      download(`curl -o /dev/null, http, by way of ${name}`, 'http', input),
      start,
    ),
  }));
}

/** By tunnel only: squid 5.7 cuts a forwarded upload that comes this fast, whoever sends it and with no sign-on, too. */
function uploads(
  { scratch, size }: ThroughputInput,
  clients: TransferClients,
  sink: Sink,
): Entry[] {
  const { name, bytes } = files[size];
  const file = join(directory, 'origin/www', name);
  const upload = (title: string): Transfer => ({ title, url: `${sink.url}/`, bytes, ca: sink.ca });
  return [
    { name: 'curl-up', contender: curlUpload(upload('curl -T FILE, https'), PROXY, file) },
    {
      ...{ name: 'library-up', against: 'curl-up' },
      contender: libraryUpload(upload('request() with a file, https'), PROXY, {
        ...{ clients, file, home: scratch },
      }),
    },
  ];
}

function download(title: string, scheme: 'http' | 'https', { size }: ThroughputInput): Transfer {
  const { name, bytes } = files[size];
  return { title, url: `${origins[scheme]}/${name}`, bytes, ca };
}
