// The sections of the table: what each is called, in which unit, how many rounds it gets and who prepares it.
import { prepareBursts } from './bursts.ts';
import { prepareDistance } from './distance.ts';
import { prepareHandshakeCost } from './handshake-cost.ts';
import { prepareLocalRequests } from './local-requests.ts';
import { prepareLocalStreams, prepareLocalTunnels } from './local-tunnels.ts';
import { prepareManners } from './manners.ts';
import { prepareNativeCost } from './native-cost.ts';
import { preparePing } from './ping-contender.ts';
import type { Relays } from './relays.ts';
import type { Scenery } from './scenery.ts';
import { prepareSmallRequests } from './small-requests.ts';
import { prepareThroughput } from './throughput.ts';
import type { Unit } from './units.ts';
import { prepareWholeCommands } from './whole-commands.ts';

export interface SectionInput {
  readonly isQuick: boolean;
  /** A folder that lives as long as the run. */
  readonly scratch: string;
  /** The built package, as a `file:` URL that ends in a slash. */
  readonly dist: URL;
  readonly relays: Relays;
}

export interface SectionPlan {
  /** As `--only` takes it. */
  readonly key: string;
  /** Of its rows: the same whichever sections run. */
  readonly letter: string;
  readonly title: string;
  readonly unit: Unit;
  readonly rounds: { readonly full: number; readonly quick: number };
  prepare(input: SectionInput): Promise<Scenery>;
}

const RTT_MS = 20;
const PING_TOLERANCE_MS = 2;

export const SECTIONS: readonly SectionPlan[] = [
  {
    key: 'far',
    letter: 'A',
    title: `CONNECT, ${RTT_MS} ms away`,
    unit: 'ms',
    rounds: { full: 50, quick: 9 },
    prepare: prepareFar,
  },
  {
    key: 'near',
    letter: 'B',
    title: 'CONNECT, no distance, no relay',
    unit: 'ms',
    rounds: { full: 60, quick: 9 },
    prepare: (input) => prepareDistance({ ...input, rttMs: 0 }),
  },
  {
    key: 'throughput',
    letter: 'C',
    title: 'One large file through NTLM',
    unit: 'MB/s',
    rounds: { full: 21, quick: 2 },
    prepare: (input) => prepareThroughput({ ...input, size: input.isQuick ? 'medium' : 'large' }),
  },
  {
    key: 'small',
    letter: 'D',
    title: 'Small files on a connection that NTLM has signed on',
    unit: 'requests/s',
    rounds: { full: 21, quick: 2 },
    prepare: (input) => prepareSmallRequests({ ...input, requests: input.isQuick ? 20 : 200 }),
  },
  {
    key: 'cost',
    letter: 'E',
    title: 'A sign-on',
    unit: 'CPU ms',
    rounds: { full: 30, quick: 3 },
    prepare: (input) => prepareHandshakeCost({ ...input, repeats: input.isQuick ? 5 : 20 }),
  },
  {
    key: 'processes',
    letter: 'F',
    title: 'Fresh processes',
    unit: 'CPU ms',
    rounds: { full: 30, quick: 5 },
    prepare: prepareNativeCost,
  },
  {
    key: 'manners',
    letter: 'G',
    title: 'CONNECT of somebody else at a squid with three authenticators',
    unit: 'ms',
    rounds: { full: 11, quick: 2 },
    prepare: (input) => prepareManners({ ...input, tunnels: input.isQuick ? 50 : 200 }),
  },
  {
    key: 'bursts',
    letter: 'H',
    title: `CONNECT through a local proxy, its proxy ${RTT_MS} ms away`,
    unit: 'ms',
    rounds: { full: 7, quick: 1 },
    prepare: (input) => prepareBursts({ ...input, rttMs: RTT_MS }),
  },
  {
    key: 'local',
    letter: 'I',
    title: 'CONNECT through a local proxy, no distance',
    unit: 'ms',
    rounds: { full: 7, quick: 1 },
    prepare: (input) => prepareBursts({ ...input, rttMs: 0 }),
  },
  {
    key: 'requests',
    letter: 'J',
    title: 'Small files for 16 clients at once through a local proxy',
    unit: 'requests/s',
    rounds: { full: 9, quick: 1 },
    prepare: (input) => prepareLocalRequests({ ...input, ms: input.isQuick ? 300 : 3000 }),
  },
  {
    key: 'streams',
    letter: 'K',
    title: 'One stream in a tunnel through a local proxy',
    unit: 'MB/s',
    rounds: { full: 11, quick: 1 },
    prepare: (input) => prepareLocalStreams({ ...input, bytes: input.isQuick ? 2e7 : 5e8 }),
  },
  {
    key: 'tunnels',
    letter: 'L',
    title: 'A process that holds 1,024 tunnels which talk',
    unit: 'MB resident',
    rounds: { full: 3, quick: 1 },
    prepare: (input) => prepareLocalTunnels({ ...input, count: input.isQuick ? 64 : 1024 }),
  },
  {
    key: 'commands',
    letter: 'M',
    title: 'The local proxy where nothing goes through it',
    unit: 'ms',
    rounds: { full: 25, quick: 3 },
    prepare: (input) => prepareWholeCommands({ ...input, idleMs: input.isQuick ? 2000 : 20_000 }),
  },
];

/** The distance is checked by a row of its own. */
async function prepareFar(input: SectionInput): Promise<Scenery> {
  const ping = await preparePing(input.relays, RTT_MS);
  const far = await prepareDistance({ ...input, rttMs: RTT_MS });
  const { id, title } = ping.contender;
  const near = { value: RTT_MS, tolerance: PING_TOLERANCE_MS };
  return {
    contenders: [ping.contender, ...far.contenders],
    plans: [{ id, title, near }, ...far.plans],
    [Symbol.asyncDispose]: async () => {
      await far[Symbol.asyncDispose]();
      await ping[Symbol.asyncDispose]();
    },
  };
}
