// The number a command ends with, for each way it can end. `docs/exit-codes.md` is held against this by a test.
import type { Outcome } from '../errors/codes.ts';

export const EXIT_OK = 0;

export const EXIT_CODES: Readonly<Record<Outcome, number>> = {
  internal: 1,
  usage: 2,
  'no-proxy': 3,
  'credentials-refused': 4,
  'proxy-refused': 5,
  network: 6,
  'http-error': 7,
  integrity: 8,
  output: 9,
  // As shells report a program that is not there.
  'not-started': 127,
  // As shells report a program ended by Ctrl-C.
  interrupted: 130,
};

/** What `--help` of the program and of `get` ends with. */
export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  a fault in Sallyport itself
  2  usage: command line, URL, configuration or certificate file
  3  no proxy: it cannot be reached, or TLS with it failed
  4  credentials missing or refused
  5  the proxy refused: a forbidden address, or no scheme both sides allow
  6  network: origin not reached, connection lost, timeout
  7  HTTP error status
  8  the body is not complete, or does not have its digest
  9  the output cannot be written
  127  run: the program cannot be started
  130  ended by Ctrl-C (by SIGTERM 143, by SIGHUP 129)`;
