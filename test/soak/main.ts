// `npm run soak`: reads argv, prints, sets the exit code. What is done stands in `operations.ts`, what must hold in `checks.ts`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatProgress, formatReport } from './report.ts';
import { runSoak } from './run.ts';

const USAGE = `npm run soak -- [--handshakes N] [--seed S] [--plant-leaks]
  --handshakes N  how many, 100000 unless told
  --seed S        the run with this number again; the order of what overlaps is the machine's
  --plant-leaks   the soak itself leaks memory, descriptors and listeners: it must fail
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      handshakes: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      'plant-leaks': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [handshakes, seed] = [Number(values.handshakes), Number(values.seed)];
  if (values.help || !Number.isInteger(seed) || !(handshakes >= 100)) {
    process.stdout.write(USAGE);
    return values.help ? 0 : 2;
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
    process.stdout.write(`${process.stdout.isTTY ? '\r\u001B[K' : ''}${formatReport(result)}\n`);
    const isFine = result.failures.length === 0 && result.checks.every(({ isMet }) => isMet);
    return isFine ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`soak: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  },
);
