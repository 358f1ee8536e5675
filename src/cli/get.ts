// `sallyport get URL...`: downloads and uploads through whatever proxy the network wants. Owns the command and the order of
// several addresses; one of them is `transfer.ts`, its connections `upstream/`.
import { basename } from 'node:path';
import { Command } from 'commander';
import { SallyportError } from '../errors/sallyport-error.ts';
import { Upstream } from '../upstream/upstream.ts';
import { Ended } from './ended.ts';
import { EXIT_CODES_HELP } from './exit-codes.ts';
import { fileDigest } from './file-digest.ts';
import { integer, seconds, withRouteOptions, withSignOnOptions } from './flags.ts';
import type { Job } from './get-files.ts';
import { shown } from './get-files.ts';
import type { GetFlags } from './get-flags.ts';
import type { Plan } from './get-plan.ts';
import { planGet } from './get-plan.ts';
import { summaryOf, summaryOfFile } from './get-summary.ts';
import { narrate, tellMemoryFault } from './narrate.ts';
import { print } from './print.ts';
import { reportFailure, tell } from './report.ts';
import { settingsFor } from './sign-on-settings.ts';
import { Stops } from './stops.ts';
import type { Surroundings } from './transfer.ts';
import { transfer } from './transfer.ts';

const EXAMPLES = `
Examples:
  sallyport get https://example.com/file.zip -o file.zip
  sallyport get --continue -o file.zip https://example.com/file.zip   # goes on where it stopped
  sallyport get --retry 5 --sha256 "$DIGEST" -o file.zip https://example.com/file.zip   # DIGEST: 64 digits
  sallyport get https://example.com/a.zip https://example.com/b.zip   # become a.zip and b.zip here
  sallyport get -o downloads/ https://example.com/a.zip   # becomes downloads/a.zip
  sallyport get -T report.pdf https://example.com/reports/report.pdf   # uploads
  sallyport get --proxy http://proxy.corp.example:3128 --user "CORP\\alice" https://example.com/
  sallyport get --password-stdin --user "CORP\\alice" https://example.com/ < password.txt
  sallyport get -v https://example.com/ -o page.html   # shows who offered what, and what was chosen

A download is FILE.part until it is complete; FILE.part.json beside it holds what --continue must know.
The password is asked for on a terminal, or comes from SALLYPORT_PASSWORD or standard input; never from an argument.
Most options have a variable (SALLYPORT_PROXY, SALLYPORT_USER, ...) and a key in the configuration file.
`;

/** @param argv the words behind `sallyport`, for the command a remedy names */
export function getCommand(argv: readonly string[] = []): Command {
  const command = new Command('get')
    .description('Download through the proxy of this network, or upload with -T')
    .argument('<url...>', 'http:// or https:// addresses')
    .option(
      '-o, --output <file>',
      'write to this file (by way of FILE.part), or into this folder (DIR/) by the names in the addresses; default standard output, with several addresses the folder you are in',
    )
    .option('-c, --continue', 'go on with FILE.part, when the server still has the same file')
    .option('--sha256 <hex>', 'the digest the file must have; another file does not get its name')
    .option(
      '--retry <times>',
      'try again after failures that can pass (default 0)',
      integer(0, 1000),
    )
    .option('--max-time <seconds>', 'longest time for all of it, after the password', seconds)
    .option('-T, --upload-file <file>', 'send this file (PUT), or standard input (-)')
    .option(
      '-X, --method <method>',
      'another method than GET, or PUT with -T; HEAD prints status and headers',
    )
    .option(
      '-H, --header <line>',
      'a header to send, as "Name: value"; may be repeated',
      (line: string, before: readonly string[] | undefined) => [...(before ?? []), line],
    );
  return withSignOnOptions(withRouteOptions(command))
    .addHelpText('after', EXAMPLES + EXIT_CODES_HELP)
    .action((addresses: readonly string[], flags: GetFlags) => get(addresses, flags, argv));
}

async function get(
  addresses: readonly string[],
  flags: GetFlags,
  argv: readonly string[],
): Promise<void> {
  const plan = await planGet(addresses, flags);
  try {
    if (flags.verbose) {
      narrate();
      await tellMemoryFault();
    }
    const settings = await settingsFor(
      plan.jobs.map(({ url }) => url),
      flags,
    );
    await using upstream = new Upstream(settings);
    using stops = new Stops(plan.maxTimeMs);
    await getAll(plan, flags, argv, { upstream, stops });
  } finally {
    await plan.upload?.close();
  }
}

/** @throws Ended with the code of the first failure, when all were tried, or of the signal that ended it */
async function getAll(
  plan: Plan,
  flags: GetFlags,
  argv: readonly string[],
  shared: Pick<Surroundings, 'upstream' | 'stops'>,
): Promise<void> {
  const { json = false, verbose = 0 } = flags;
  const countsDigest = json || plan.sha256 !== null;
  const isOne = plan.jobs.length === 1;
  let firstCode = 0;
  for (const [at, job] of plan.jobs.entries()) {
    const about = aboutOf(job);
    const label = isOne ? '' : basename(job.file ?? '');
    try {
      const summary = await getOne(job, plan, { ...shared, verbose, label, countsDigest });
      if (json) {
        await print(`${JSON.stringify({ ok: true, ...about, ...summary })}\n`);
      }
    } catch (failure) {
      const which = isOne ? {} : { which: shown(job.url) };
      const code = reportFailure(failure, { json, verbose, argv, about, ...which });
      firstCode = firstCode === 0 ? code : firstCode;
    }
    const { exitCode } = shared.stops;
    const rest = plan.jobs.slice(at + 1);
    // A signal that came behind the last byte of the last one has ended nothing.
    if (exitCode !== null && (rest.length > 0 || firstCode !== 0)) {
      tellNotBegun(rest, json);
      throw new Ended(exitCode);
    }
  }
  if (firstCode !== 0) {
    throw new Ended(firstCode);
  }
}

function aboutOf({ url, file }: Job): { url: string; output?: string } {
  return { url: url.href, ...(file === null ? {} : { output: file }) };
}

/** Whoever ended it is told of the rest: one line, and an object each. */
function tellNotBegun(jobs: readonly Job[], json: boolean): void {
  if (jobs.length === 0) {
    return;
  }
  if (json) {
    const error = new SallyportError('INTERRUPTED', 'Not begun');
    for (const job of jobs) {
      process.stdout.write(`${JSON.stringify({ ok: false, ...aboutOf(job), error })}\n`);
    }
  }
  tell(`Not begun: ${jobs.map(({ url }) => shown(url)).join(', ')}`);
}

async function getOne(job: Job, plan: Plan, around: Surroundings) {
  const started = performance.now();
  if (job.isThere && job.file !== null) {
    const found = around.countsDigest ? await fileDigest(job.file, around.stops.signal) : null;
    if (plan.sha256 === null || plan.sha256 === found?.sha256) {
      tell(
        plan.sha256 === null
          ? `${job.file} is there already, left as it is (not checked).`
          : `${job.file} is there already, and is the right one.`,
      );
      return summaryOfFile(found, performance.now() - started);
    }
  }
  const done = await transfer(job, plan, around);
  return summaryOf(done, performance.now() - started);
}
