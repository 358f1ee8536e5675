// Tunnels through a local proxy: one stream down, one up, and 1,024 that are open and talk. Owns who is held against whom, and the
// targets.
import type { Sample } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { LoadInput, Way } from './local-party.ts';
import { LocalParty } from './local-party.ts';
import { residentOf } from './process-usage.ts';
import type { Entry, Scenery } from './scenery.ts';
import { sceneryOf } from './scenery.ts';

export interface LocalStreamsInput extends LoadInput {
  /** Of one sample. */
  readonly bytes: number;
}

const MIN_DOWN_OF_DIRECT = 0.8;
const MIN_DOWN_OF_CNTLM = 1.5;
const MIN_UP_OF_DIRECT = 0.6;
const MAX_CPU_PER_GB = 0.8;

export async function prepareLocalStreams(input: LocalStreamsInput): Promise<Scenery> {
  const party = new LocalParty(input);
  /** CPU seconds for each GB that came by `run`. */
  const downCpu: number[] = [];
  const by = (title: string, what: 'down' | 'up', way: () => Promise<Way>, cpu?: number[]) => ({
    title,
    measure: async (): Promise<Sample> => {
      const sample = await stream(party, await way(), what, input.bytes);
      if (sample.cpuPerGb !== null) {
        cpu?.push(sample.cpuPerGb);
      }
      return sample;
    },
  });
  const entries: Entry[] = [
    { name: 'down', contender: by('down, no local proxy', 'down', () => party.direct()) },
    {
      ...{ name: 'down-run', against: 'down', minRatio: MIN_DOWN_OF_DIRECT },
      contender: by('down by run', 'down', () => party.run(), downCpu),
    },
    { name: 'down-cntlm', contender: by('down by cntlm', 'down', () => party.cntlm()) },
    {
      ...{ name: 'down-run-again', against: 'down-cntlm', minRatio: MIN_DOWN_OF_CNTLM },
      contender: by('down by run once more', 'down', () => party.run(), downCpu),
    },
    { name: 'up', contender: by('up, no local proxy', 'up', () => party.direct()) },
    {
      ...{ name: 'up-run', against: 'up', minRatio: MIN_UP_OF_DIRECT },
      contender: by('up by run', 'up', () => party.run()),
    },
    { name: 'up-cntlm', contender: by('up by cntlm', 'up', () => party.cntlm()) },
  ];
  const claim = {
    title: `run uses ${MAX_CPU_PER_GB} CPU s at most for a GB down`,
    isTrue: async () => medianOf(downCpu) <= MAX_CPU_PER_GB,
  };
  return { ...sceneryOf(entries, 'streams', party), claims: [claim] };
}

export interface LocalTunnelsInput extends LoadInput {
  readonly count: number;
}

const MAX_RESIDENT_MB = 120;

/** The process is new for each sample: memory that was used once is not given back. */
export async function prepareLocalTunnels(input: LocalTunnelsInput): Promise<Scenery> {
  const measured = (title: string, way: (party: LocalParty) => Promise<Way>) => ({
    title,
    measure: async (): Promise<Sample> => {
      await using party = new LocalParty(input);
      const { url: proxy, pid } = await way(party);
      const target = await party.children.tunnelEnd();
      const { count } = input;
      const working = await party.children.load({ do: 'tunnels', proxy, target, count });
      if (working !== count) {
        throw new Error(`${working} of ${count} tunnels work`);
      }
      const resident = await residentOf(pid);
      await party.children.load({ do: 'close' });
      return sampleOf(resident);
    },
  });
  return sceneryOf(
    [
      {
        ...{ name: 'run', atMost: MAX_RESIDENT_MB },
        contender: measured('run, all of them work', (party) => party.run()),
      },
      {
        name: 'raw',
        contender: measured('a relay that hands bytes on, no sign-on', (party) =>
          party.plain('raw'),
        ),
      },
    ],
    'tunnels',
  );
}

async function stream(
  party: LocalParty,
  way: Way,
  what: 'down' | 'up',
  bytes: number,
): Promise<Sample> {
  const { children } = party;
  const target = await children.tunnelEnd();
  const before = await party.cpuSeconds(way);
  const value = await children.load({ do: what, proxy: way.url, target, bytes });
  const after = await party.cpuSeconds(way);
  const cpuPerGb = before === null || after === null ? null : (after - before) / (bytes / 1e9);
  return sampleOf(value, { cpuPerGb });
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
