// The local proxy where nothing goes through it: `run` of a program that does nothing, and a `serve` nobody uses. Owns who is held
// against whom, and the targets.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LAB } from '../test/lab/lab.ts';
import type { Sample } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { LoadInput } from './local-party.ts';
import { runProcess } from './run-process.ts';
import type { Scenery } from './scenery.ts';
import { sceneryOf } from './scenery.ts';

export interface WholeCommandsInput extends LoadInput {
  /** How long an idle `serve` is watched, in milliseconds. */
  readonly idleMs: number;
}

const MAX_OF_NODE = 2;
/** In ten seconds. */
const MAX_WAKE_UPS = 1;

const PROXY = `http://127.0.0.1:${LAB.proxies.ntlm.port}`;
const USER = LAB.users.alice;

export async function prepareWholeCommands(input: WholeCommandsInput): Promise<Scenery> {
  const { dist, scratch } = input;
  const main = fileURLToPath(new URL('cli/main.js', dist));
  const env = { PATH: process.env['PATH'], HOME: scratch, SALLYPORT_PASSWORD: USER.password };
  const who = ['--proxy', PROXY, '--user', USER.typed];
  const timed = async (args: readonly string[]): Promise<Sample> => {
    const { code, ms, stderr } = await runProcess(process.execPath, args, { env });
    if (code !== 0) {
      throw new Error(`node ${args[0]} ended with ${code}: ${stderr}`);
    }
    return sampleOf(ms);
  };
  const scenery = sceneryOf(
    [
      { name: 'node', contender: { title: 'node -e 0', measure: () => timed(['-e', '0']) } },
      {
        ...{ name: 'run', against: 'node', maxRatio: MAX_OF_NODE },
        contender: {
          title: 'sallyport run -- true',
          measure: () => timed([main, 'run', ...who, '--', 'true']),
        },
      },
    ],
    'commands',
  );
  const claim = {
    title: `an idle serve wakes up at most ${MAX_WAKE_UPS} time in 10 s`,
    isTrue: async () => {
      const wakeUps = await idleWakeUps(
        [main, 'serve', '--listen', '0', ...who],
        env,
        input.idleMs,
      );
      return (wakeUps * 10_000) / input.idleMs <= MAX_WAKE_UPS;
    },
  };
  return { ...scenery, claims: [claim] };
}

/** A thread that goes to sleep of its own accord was awake: counted by Linux for each. */
async function idleWakeUps(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  idleMs: number,
): Promise<number> {
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  try {
    // What a start leaves to do is over by then.
    await wait(idleMs);
    const before = await timesAsleep(child.pid);
    await wait(idleMs);
    return (await timesAsleep(child.pid)) - before;
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

async function timesAsleep(pid: number | undefined): Promise<number> {
  const folder = `/proc/${pid}/task`;
  const counts = await Promise.all(
    (await readdir(folder)).map(async (task) => {
      const status = await readFile(`${folder}/${task}/status`, 'latin1');
      return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1]);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
