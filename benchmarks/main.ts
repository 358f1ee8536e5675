// `npm run bench`: reads argv, brings the lab up, prints and writes. What is measured stands in `run.ts`, what it means in
// README.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAB } from '../test/lab/lab.ts';
import { parseArguments, runTool, UsageError } from '../test/tool-arguments.ts';
import { compareRuns, formatComparison } from './compare.ts';
import { findPeer, PEERS } from './peers.ts';
import { formatAbsences, formatTable, isFine } from './report.ts';
import { listHistory, machineLine, readHistory, writeHistory, writePage } from './results.ts';
import { runBench } from './run.ts';
import type { SectionPlan } from './sections.ts';
import { SECTIONS } from './sections.ts';

/** Of the repository; this file runs as build/benchmarks/main.js. */
const ROOT = new URL('../../', import.meta.url);

const USAGE = `npm run bench -- [--quick] [--only SECTION]... [--output FOLDER] [--history] [--assert]
npm run bench -- --list
npm run bench -- --compare [THEN [NOW]]

  --quick    few rounds and small files, under a minute, noisy
  --only     this section; may be repeated. The names are those of --list
  --output   the folder of RESULTS.md and history/ instead of benchmarks/. A run that is quick or has not all sections
             writes RESULTS.md only where this says
  --history  writes all samples to history/TIME.json in that folder, too
  --assert   exit code 1 when a target is missed or could not be measured
  --list     names the sections, and the peers with where they are
  --compare  measures nothing: holds two files of the history against each other, by default the last two, and marks
             what got worse beyond noise. With --assert the exit code is then 1

Examples:
  npm run bench                                             all of it, some minutes
  npm run bench -- --only throughput --only small
  npm run bench -- --history && npm run bench -- --compare  before and after a change
  BENCH_PX=/opt/px/bin/px npm run bench -- --only near      with a peer that is not on PATH
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArguments({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      output: { type: 'string' },
      history: { type: 'boolean', default: false },
      assert: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      compare: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.list) {
    process.stdout.write(await listing());
    return 0;
  }
  const folder = values.output ?? fileURLToPath(new URL('benchmarks', ROOT));
  if (values.compare) {
    return await compare(folder, positionals, values.assert);
  }
  if (positionals.length > 0) {
    throw new UsageError(`${positionals[0]} is no option.`);
  }
  const sections = chosenSections(values.only);
  const isWhole = !values.quick && sections.length === SECTIONS.length;
  return await measure({
    ...{ sections, isQuick: values.quick, isAsserted: values.assert },
    page: values.output !== undefined || isWhole ? folder : null,
    history: values.history ? folder : null,
  });
}

interface Measuring {
  readonly sections: readonly SectionPlan[];
  readonly isQuick: boolean;
  readonly isAsserted: boolean;
  /** Folders; `null` writes nothing. */
  readonly page: string | null;
  readonly history: string | null;
}

async function measure(input: Measuring): Promise<number> {
  const { sections, isQuick, isAsserted, page, history } = input;
  await bringLabUp();
  const scratch = await mkdtemp(join(tmpdir(), 'sallyport-bench-'));
  try {
    Object.assign(process.env, await ticketEnvironment(scratch));
    const dist = new URL('dist/', ROOT);
    const tell = (title: string): void => void process.stderr.write(`${title} ...\n`);
    const result = await runBench({ sections, isQuick, scratch, dist, tell });
    const machine = await machineLine(ROOT);
    const table = [formatTable(result.sections), formatAbsences(result.sections)]
      .join('\n\n')
      .trimEnd();
    process.stdout.write(`${machine}\n\n${table}\n`);
    if (page !== null) {
      await writePage(page, { machine, table, isQuick });
    }
    if (history !== null) {
      const file = await writeHistory(history, { machine, sections: result.raw });
      process.stderr.write(`All samples are in ${file}\n`);
    }
    return isAsserted && !isFine(result.sections) ? 1 : 0;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** @throws UsageError for a section there is none of */
function chosenSections(keys: readonly string[]): readonly SectionPlan[] {
  const stranger = keys.find((key) => !SECTIONS.some((section) => section.key === key));
  if (stranger !== undefined) {
    const known = SECTIONS.map(({ key }) => key).join(', ');
    throw new UsageError(`There is no section ${stranger}; there are ${known}.`);
  }
  return keys.length === 0 ? SECTIONS : SECTIONS.filter(({ key }) => keys.includes(key));
}

async function listing(): Promise<string> {
  const sections = SECTIONS.map(
    ({ letter, key, title, unit }) => `${letter}  ${key.padEnd(10)}  ${title}: ${unit}`,
  );
  const peers = await Promise.all(
    PEERS.map(async (peer) => {
      const where = await findPeer(peer).catch((error: Error) => error.message);
      return `   ${peer.name.padEnd(10)}  ${where}`;
    }),
  );
  return `Sections:\n${sections.join('\n')}\n\nPeers:\n${peers.join('\n')}\n`;
}

/** @throws Error where the history has fewer than two runs, or a file is none of its */
async function compare(
  folder: string,
  files: readonly string[],
  isAsserted: boolean,
): Promise<number> {
  const history = await listHistory(folder);
  const now = files[1] ?? history.at(-1);
  const then = files[0] ?? history.at(-2);
  if (then === undefined || now === undefined) {
    throw new Error(`${folder} has no two runs to compare: npm run bench -- --history writes one`);
  }
  const [before, after] = [await readHistory(then), await readHistory(now)];
  const lines = compareRuns(before, after);
  const head = [`then: ${before.time}, ${before.machine}`, `now:  ${after.time}, ${after.machine}`];
  process.stdout.write(`${head.join('\n')}\n\n${formatComparison(lines)}\n`);
  return isAsserted && lines.some(({ change }) => change === 'worse') ? 1 : 0;
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

await runTool('bench', main);
