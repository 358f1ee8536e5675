// `npm run soak`: reads argv, prints, sets the exit code. What is done stands in `operations.ts`, what must hold in `checks.ts`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArguments, runTool, UsageError } from '../tool-arguments.ts';
import { formatDeeds, formatProgress, formatReport } from './report.ts';
import { runSoak } from './run.ts';

const USAGE = `npm run soak -- [--handshakes N] [--seed S] [--plant-leaks]
  --handshakes N  how many, 100000 unless told, 100 at least
  --seed S        the run with this whole number again; the order of what overlaps is the machine's
  --plant-leaks   the soak itself leaks memory, descriptors and listeners: it must fail

Examples:
  npm run soak                                  four to eight minutes
  npm run soak -- --handshakes 1000             as npm test does
  npm run soak -- --handshakes 1000 --seed 20   the run a report named
  npm run soak -- --handshakes 200 --plant-leaks

The exit code is 0 when all checks hold, 1 when one does not, 2 for a command line that cannot be understood.
`;

async function main(): Promise<number> {
  const { values } = parseArguments({
    options: {
      handshakes: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      'plant-leaks': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [handshakes, seed] = [Number(values.handshakes), Number(values.seed)];
  if (!(Number.isInteger(handshakes) && handshakes >= 100)) {
    throw new UsageError('--handshakes is a whole number, 100 at least.');
  }
  if (!Number.isInteger(seed)) {
    throw new UsageError('--seed is a whole number.');
  }
  const scratch = mkdtempSync(join(tmpdir(), 'sallyport-soak-'));
  process.env['SALLYPORT_STATE_DIR'] = join(scratch, 'state');
  try {
    process.stdout.write(`soak: ${handshakes} handshakes, seed ${seed}\n`);
    const result = await runSoak({
      ...{ handshakes, seed, scratch, plantsLeaks: values['plant-leaks'] },
      onWindow: (window) => {
        if (process.stdout.isTTY) {
          process.stdout.write(`\r\u001B[K${formatProgress(window, handshakes)}`);
        }
      },
    });
    process.stdout.write(
      `${process.stdout.isTTY ? '\r\u001B[K' : ''}${formatReport(result, formatDeeds(result))}\n`,
    );
    const isFine = result.failures.length === 0 && result.checks.every(({ isMet }) => isMet);
    return isFine ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

await runTool('soak', main, (error) => String(error instanceof Error ? error.stack : error));
