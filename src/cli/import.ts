// `sallyport import FILE`: takes the settings of cntlm or px over into the configuration file. Owns the command and what it says; what
// a setting becomes is `import/translate.ts`'s.
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { parseConfiguration } from '../settings/config-file.ts';
import { findDefaultConfigPath } from '../settings/config-path.ts';
import { readEnvironment } from '../settings/environment.ts';
import { readBounded } from '../settings/read-bounded.ts';
import { replaceFile } from '../settings/replace-file.ts';
import type { ForeignProgram } from './import/foreign-file.ts';
import { MAX_FOREIGN_BYTES, readForeignFile } from './import/foreign-file.ts';
import type { ImportRow, Translation } from './import/translate.ts';
import { translate } from './import/translate.ts';
import { print } from './print.ts';
import { printable } from './printable.ts';

interface ImportFlags {
  readonly from?: ForeignProgram;
  readonly config?: string;
  readonly force?: true;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  sallyport import /etc/cntlm.conf
  sallyport import px.ini --config sallyport.json   # look at it first
  sallyport import settings.txt --from cntlm --force   # instead of what is there

It says line by line what was taken, and why not. Passwords and hashes are never taken: sallyport login stores a password in the
keyring, and who is signed in to the machine often needs none.`;

export function importCommand(): Command {
  return new Command('import')
    .description('Take over the settings of cntlm or px')
    .argument('<file>', 'cntlm.conf or px.ini')
    .addOption(
      new Option('--from <program>', 'whose file it is; else its name says: .ini is of px').choices(
        ['cntlm', 'px'],
      ),
    )
    .option('--config <file>', 'write this file instead of your own')
    .option('--force', 'replace the file that is there')
    .option('--json', 'machine-readable result on standard output')
    .addHelpText('after', EXAMPLES)
    .action((file: string, flags: ImportFlags) => importFile(file, flags));
}

async function importFile(file: string, flags: ImportFlags): Promise<void> {
  const target = targetPath(flags);
  if (!flags.force && existsSync(target)) {
    throw new SallyportError('USAGE', `${target} is there already`, {
      hint: 'Give --force to replace it, or --config FILE to write another one.',
    });
  }
  const program = flags.from ?? (/\.ini$/i.test(file) ? 'px' : 'cntlm');
  const translation = translate(file, program, readForeignFile(file, program, await read(file)));
  const text = `${JSON.stringify(translation.configuration, null, 2)}\n`;
  if (Object.keys(translation.configuration).length === 0) {
    throw new SallyportError('CONFIG_INVALID', `${file} has nothing that can be taken over`, {
      hint: 'Nothing was written. If it is of the other program, say so with --from cntlm or --from px.',
    });
  }
  parseConfiguration(target, Buffer.from(text));
  try {
    await replaceFile(target, text);
  } catch (error) {
    throw notWritten(target, error);
  }
  await tell(file, target, translation, flags);
}

/** @throws SallyportError USAGE */
function targetPath({ config }: ImportFlags): string {
  const path =
    config ?? readEnvironment().config ?? findDefaultConfigPath(process.env, process.platform);
  if (path === undefined) {
    throw new SallyportError('USAGE', 'There is no home folder for a configuration file', {
      hint: 'Name one with --config FILE.',
    });
  }
  return path;
}

/** @throws SallyportError CONFIG_INVALID */
async function read(file: string): Promise<Buffer> {
  let bytes: Buffer | null;
  try {
    bytes = await readBounded(file, MAX_FOREIGN_BYTES);
  } catch (error) {
    throw notRead(file, error);
  }
  if (bytes === null) {
    throw new SallyportError(
      'CONFIG_INVALID',
      `${file} is larger than ${MAX_FOREIGN_BYTES / 1024} KiB: no file of cntlm or px`,
    );
  }
  return bytes;
}

function notRead(file: string, cause: unknown): SallyportError {
  return new SallyportError('CONFIG_INVALID', `${file} cannot be read (${errorWord(cause)})`, {
    cause,
  });
}

function notWritten(path: string, cause: unknown): SallyportError {
  return new SallyportError('OUTPUT_FAILED', `${path} cannot be written (${errorWord(cause)})`, {
    cause,
    hint: 'Check who may write in that folder, and that the disk is not full.',
  });
}

async function tell(
  file: string,
  path: string,
  { rows }: Translation,
  { json }: ImportFlags,
): Promise<void> {
  if (json) {
    await print(`${JSON.stringify({ ok: true, path, settings: rows })}\n`);
    return;
  }
  const next = 'sallyport doctor shows whether it works; sallyport serve is the proxy.';
  const lines = [...rows.map((row) => describe(file, row)), `Written: ${path}`, next];
  await print(lines.map((line) => `${printable(line)}\n`).join(''));
}

function describe(file: string, { line, name, keys, note }: ImportRow): string {
  const what = keys.length === 0 ? 'not taken' : `taken as ${keys.join(' and ')}`;
  const separator = keys.length === 0 ? ': ' : '; ';
  return `${basename(file)}:${line} ${name}: ${what}${note === '' ? '' : separator + note}`;
}
