// `sallyport env`: what a shell has to be told so that its programs go through the `serve` that runs. Owns the dialects of
// shells.
import { Command, Option } from 'commander';
import { SallyportError } from '../errors/sallyport-error.ts';
import { findServer } from '../server/running-server.ts';
import { AUTHORITY_VARIABLES } from '../settings/authority-variables.ts';
import { childEnvironment } from '../settings/child-environment.ts';
import { findStatePlace } from '../settings/state-path.ts';
import { resolveSettings } from '../upstream/settings.ts';
import { authorityBundle } from './authority-bundle.ts';
import { print } from './print.ts';

const EXAMPLES = `
Examples:
  eval "$(sallyport env)"                                        (sh, bash, zsh)
  sallyport env --shell fish | source
  sallyport env --shell powershell | Out-String | Invoke-Expression
  for /f "delims=" %i in ('sallyport env --shell cmd') do @%i     (cmd.exe)

It says where the sallyport serve of yours listens, in every variable that programs read.`;

const SHELLS = ['sh', 'fish', 'powershell', 'cmd'] as const;
type Shell = (typeof SHELLS)[number];

/** What the local proxy's list of exceptions and git's settings are added to. */
const KEPT = /^(?:no_proxy|NO_PROXY|GIT_CONFIG_COUNT|GIT_CONFIG_KEY_\d+)$/;
/** Who has said which authorities a program trusts is not overruled. */
const AUTHORITIES: ReadonlySet<string> = new Set(AUTHORITY_VARIABLES);

export function envCommand(): Command {
  return new Command('env')
    .description('Print the variables that lead a shell’s programs to the running serve')
    .addOption(
      new Option('--shell <name>', 'in which language (default: of this system)').choices(SHELLS),
    )
    .addHelpText('after', EXAMPLES)
    .action(async ({ shell }: { readonly shell?: Shell }) => {
      const url = await findServer();
      if (url === null) {
        throw new SallyportError('USAGE', 'No sallyport serve of yours is running', {
          hint: 'Start one with sallyport serve, in another terminal; or use sallyport run -- PROGRAM.',
        });
      }
      const kept = Object.entries(process.env).filter(
        ([name]) => KEPT.test(name) || AUTHORITIES.has(name),
      );
      const base = Object.fromEntries(kept);
      const { trust } = await resolveSettings();
      const bundle = await authorityBundle(trust, findStatePlace());
      const variables = childEnvironment({ proxyUrl: url, base, bundle });
      const lines = Object.entries(variables).flatMap(([name, value]) =>
        value === undefined || (AUTHORITIES.has(name) && value === base[name])
          ? []
          : [assignment(shell ?? usualShell(), name, value)],
      );
      await print(`${lines.join('\n')}\n`);
    });
}

function usualShell(): Shell {
  return process.platform === 'win32' ? 'powershell' : 'sh';
}

/** One line that sets a variable for programs started later; the value is taken as it is. */
export function assignment(shell: Shell, name: string, value: string): string {
  switch (shell) {
    case 'sh':
      return `export ${name}='${value.replaceAll("'", `'\\''`)}'`;
    case 'fish':
      return `set -gx ${name} '${value.replaceAll(/['\\]/g, '\\$&')}'`;
    case 'powershell':
      return `$env:${name} = '${value.replaceAll("'", "''")}'`;
    case 'cmd':
      return `set "${name}=${value.replaceAll('%', '%%')}"`;
  }
}
