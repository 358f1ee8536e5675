// `sallyport doctor [URL]`: looks at everything between this machine and the proxy, and says whose turn it is. Owns the
// command; the looking is `doctor/`.
import { Command } from 'commander';
import type { Report } from '../doctor/diagnose.ts';
import { diagnose } from '../doctor/diagnose.ts';
import { reportLines } from '../doctor/report-text.ts';
import { Ended } from './ended.ts';
import { EXIT_CODES, EXIT_CODES_HELP } from './exit-codes.ts';
import type { CommonFlags } from './flags.ts';
import { withRouteOptions, withSignOnOptions } from './flags.ts';
import { narrate, tellMemoryFault } from './narrate.ts';
import { print } from './print.ts';
import { printable } from './printable.ts';
import { remedyCommand } from './report.ts';
import { settingsFor } from './sign-on-settings.ts';
import { parseAddress } from './web-address.ts';

/** A name that stands for any web address: it decides the route, and the proxy is asked to connect there. */
const EXAMPLE = 'https://example.com/';
const DEFAULT_COLUMNS = 100;
const CLEAR_LINE = '\r\u001b[K';

const HELP = `
Examples:
  sallyport doctor
  sallyport doctor https://example.com/
  sallyport doctor --proxy http://proxy.corp.example:3128
  sallyport doctor --json https://example.com/ > report.json

It looks at this machine, the route, the proxy's name, connection and TLS, what the proxy asks for and who would sign on,
then signs on once and tells the legs. A wrong password costs one logon at most, as with get.
The report holds no password, no token and no file name; names of users and hosts stay, for it is about them.

It ends with 0 when it works, else with the code of the error that stands in the way.
`;

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('Look at everything between this machine and the proxy, and say what to do')
    .argument('[url]', 'http:// or https:// address', EXAMPLE);
  return withSignOnOptions(withRouteOptions(command))
    .addHelpText('after', HELP + EXIT_CODES_HELP)
    .action((address: string, flags: CommonFlags, self: Command) =>
      doctor(address, self.args.length > 0, flags, argvOf(self)),
    );
}

async function doctor(
  address: string,
  isAsked: boolean,
  flags: CommonFlags,
  argv: readonly string[],
): Promise<void> {
  const url = parseAddress(address);
  if (flags.verbose) {
    narrate();
    await tellMemoryFault();
  }
  const settings = await settingsFor([url], flags);
  // What stands behind the host is the user's own matter.
  const words = argv.map((word) => (word === address ? `${url.origin}/` : word));
  const report = await diagnose(url, settings, {
    isAsked,
    onCheck: tellProgress,
    tellRemedy: (remedy) => remedyCommand(words, remedy),
  });
  clearProgress();
  await print(flags.json ? jsonOf(report) : textOf(report));
  const { works, outcome } = report.verdict;
  if (works === false) {
    throw new Ended(EXIT_CODES[outcome ?? 'internal']);
  }
}

/** The words of the command line behind `sallyport`. */
function argvOf({ parent }: Command): readonly string[] {
  return parent?.args ?? [];
}

function jsonOf({ findings, verdict }: Report): string {
  const { outcome: _outcome, ...told } = verdict;
  return `${JSON.stringify({ ok: verdict.works !== false, findings, verdict: told }, null, 2)}\n`;
}

function textOf({ findings, verdict }: Report): string {
  // A terminal that does not tell its size has 0 columns.
  const columns = process.stdout.columns || DEFAULT_COLUMNS;
  const lines = reportLines(findings, verdict, columns);
  return `${lines.map(printable).join('\n')}\n`;
}

function tellProgress(doing: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`${CLEAR_LINE}sallyport: ${doing} ...`);
  }
}

function clearProgress(): void {
  if (process.stderr.isTTY) {
    process.stderr.write(CLEAR_LINE);
  }
}
