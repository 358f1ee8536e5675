// What commander says of a command line it does not understand, as an error like any other: one line, or JSON.
import type { CommanderError } from 'commander';
import { SallyportError } from '../errors/sallyport-error.ts';

/**
 * @param argv the words behind `sallyport`
 * @returns USAGE
 */
export function usageError(
  { code, message }: CommanderError,
  argv: readonly string[],
): SallyportError {
  if (code === 'commander.help') {
    // `help` for something that is no command.
    return new SallyportError('USAGE', `unknown command '${argv[1] ?? ''}'`, {
      hint: 'Try sallyport --help.',
    });
  }
  const [what = '', guess] = message.replace(/^error: /, '').split('\n');
  // What stands behind an equals sign may be a password, and what is glued to a letter a header.
  const shown = what.replace(/'(--[\w-]+)=.*'/s, "'$1'").replace(/'(-\w).*[:=\s].*'/s, "'$1'");
  const [command = ''] = argv;
  const help = `Try sallyport ${command.startsWith('-') || code === 'commander.unknownCommand' ? '' : `${command} `}--help.`;
  return new SallyportError('USAGE', shown, {
    hint: guess === undefined ? help : `${guess.replace(/^\((.*)\)$/, '$1')} ${help}`,
  });
}
