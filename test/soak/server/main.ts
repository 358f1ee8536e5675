// `npm run soak:server`: reads argv, prints, sets the exit code. What is done stands in `operations.ts`, what must hold in
// `run.ts`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArguments, runTool, UsageError } from '../../tool-arguments.ts';
import { formatReport } from '../report.ts';
import { runServerSoak } from './run.ts';

const USAGE = `npm run soak:server -- [--operations N] [--seed S] [--plant-faults]
  --operations N  how many, 1000000 unless told, 500 at least; 100 of them are some 95 requests and 13 tunnels
  --seed S        the run with this whole number again; the order of what overlaps is the machine's
  --plant-faults  leaks, wrong answers and doubled uploads on purpose: it must fail

The corporate proxy behind the local one is killed (SIGKILL) and started again, or stopped for a moment, at random. What a
client gets is checked against what it asked for; an error may only be where the proxy was away at that moment.

Examples:
  npm run soak:server                                  1,000,000 requests, 130,000 tunnels: some 15 minutes
  npm run soak:server -- --operations 4000             as npm test does
  npm run soak:server -- --operations 4000 --seed 20   the run a report named

The exit code is 0 when all checks hold, 1 when one does not, 2 for a command line that cannot be understood.
`;

async function main(): Promise<number> {
  const { values } = parseArguments({
    options: {
      operations: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      'plant-faults': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [operations, seed] = [Number(values.operations), Number(values.seed)];
  if (!(Number.isInteger(operations) && operations >= 500)) {
    throw new UsageError('--operations is a whole number, 500 at least.');
  }
  if (!Number.isInteger(seed)) {
    throw new UsageError('--seed is a whole number.');
  }
  const scratch = mkdtempSync(join(tmpdir(), 'sallyport-soak-'));
  process.env['SALLYPORT_STATE_DIR'] = join(scratch, 'state');
  try {
    process.stdout.write(`soak of the local proxy: ${operations} operations, seed ${seed}\n`);
    const result = await runServerSoak({
      ...{ operations, seed, plantsFaults: values['plant-faults'] },
      onWindow: ({ handshakes, heap, rss, descriptors }) => {
        if (process.stdout.isTTY) {
          const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
          process.stdout.write(
            `\r\u001B[K${handshakes}: heap ${mb(heap)}, RSS ${mb(rss)}, ${descriptors} descriptors`,
          );
        }
      },
    });
    const { requests, tunnels, kills, freezes, durationMs } = result;
    const did = [
      `${requests} requests, ${tunnels} tunnels`,
      `the corporate proxy killed ${kills} times and stopped for a moment ${freezes} times`,
      `${Math.round(durationMs / 1000)} s`,
    ];
    process.stdout.write(
      `${process.stdout.isTTY ? '\r\u001B[K' : ''}${formatReport(result, did.join(', '))}\n`,
    );
    const isFine = result.failures.length === 0 && result.checks.every(({ isMet }) => isMet);
    return isFine ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

await runTool('soak:server', main, (error) => String(error instanceof Error ? error.stack : error));
