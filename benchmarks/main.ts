// `npm run bench`: reads argv, brings the lab up, prints and writes. What is measured stands in `run.ts`, what it means in
// README.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LAB } from '../test/lab/lab.ts';
import { formatAbsences, formatTable, isFine } from './report.ts';
import { machineLine, writeHistory, writePage } from './results.ts';
import { FULL, QUICK, runBench } from './run.ts';

/** Of the repository; this file runs as build/benchmarks/main.js. */
const ROOT = new URL('../../', import.meta.url);

const USAGE = `npm run bench -- [--quick] [--output FOLDER] [--history] [--assert]
  --quick    fewer rounds, under 20 s, noisy; writes only where --output says
  --output   the folder of RESULTS.md instead of benchmarks/
  --history  writes the raw numbers to history/TIME.json in that folder, too
  --assert   exit code 1 when a target is missed or could not be measured
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      output: { type: 'string' },
      history: { type: 'boolean', default: false },
      assert: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  await bringLabUp();
  const scratch = await mkdtemp(join(tmpdir(), 'sallyport-bench-'));
  try {
    Object.assign(process.env, await ticketEnvironment(scratch));
    const dist = new URL('dist/', ROOT);
    const result = await runBench({ rounds: values.quick ? QUICK : FULL, scratch, dist });
    const machine = await machineLine(ROOT);
    const table = [formatTable(result.sections), formatAbsences(result.sections)]
      .join('\n\n')
      .trimEnd();
    process.stdout.write(`${machine}\n\n${table}\n`);
    const usual = values.quick ? null : fileURLToPath(new URL('benchmarks', ROOT));
    const folder = values.output ?? usual;
    if (folder !== null) {
      await writePage(folder, { machine, table, isQuick: values.quick });
    }
    if (folder !== null && values.history) {
      await writeHistory(folder, machine, result.outcomes);
    }
    return values.assert && !isFine(result.sections) ? 1 : 0;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/**
 * Alice's ticket, in a copy: a library writes the tickets of services beside it. For the process itself, whose
 * environment is the one a library reads.
 */
async function ticketEnvironment(scratch: string): Promise<NodeJS.ProcessEnv> {
  const { KRB5CCNAME, KRB5_CONFIG } = LAB.environment;
  const copy = join(scratch, 'tickets');
  await copyFile(KRB5CCNAME.replace(/^FILE:/, ''), copy);
  return { KRB5_CONFIG, KRB5CCNAME: `FILE:${copy}` };
}

/** @throws Error where this machine cannot have the lab */
async function bringLabUp(): Promise<void> {
  const script = fileURLToPath(new URL('test/lab/up.sh', ROOT));
  const child = spawn('bash', [script], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) {
    throw new Error(`test/lab/up.sh ended with ${code}; the lab needs Debian and root`);
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
