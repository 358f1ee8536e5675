// `sallyport get URL`: downloads through whatever proxy the network wants. Owns the command; the transfer itself is
// `upstream/`, the file `destination.ts`.
import { Command } from 'commander';
import { SallyportError } from '../errors/sallyport-error.ts';
import { checkHeaderField } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import { targetName } from '../upstream/target.ts';
import type { HttpResponse } from '../upstream/upstream.ts';
import { Upstream } from '../upstream/upstream.ts';
import { routeJson } from './describe-route.ts';
import { checkWritable, fileDestination, standardOutput } from './destination.ts';
import { EXIT_CODES_HELP, EXIT_INTERRUPTED } from './exit-codes.ts';
import type { CommonFlags } from './flags.ts';
import { withRouteOptions, withSignOnOptions } from './flags.ts';
import { narrate, tellHeaders, tellMemoryFault, tellRoute } from './narrate.ts';
import { partOf } from './part-file.ts';
import { print } from './print.ts';
import { formatBytes, Progress } from './progress.ts';
import type { Followed } from './redirects.ts';
import { getFollowing } from './redirects.ts';
import { settingsFor } from './sign-on-settings.ts';
import { parseAddress } from './web-address.ts';

interface GetFlags extends CommonFlags {
  readonly output?: string;
  readonly header?: readonly string[];
}

const EXAMPLES = `
Examples:
  sallyport get https://example.com/file.zip -o file.zip
  sallyport get --proxy http://proxy.corp.example:3128 --user "CORP\\alice" https://example.com/
  sallyport get --password-stdin --user "CORP\\alice" https://example.com/ < password.txt
  sallyport get -v https://example.com/ -o page.html       shows who offered what, and what was chosen

The password is asked for on a terminal, or comes from SALLYPORT_PASSWORD or standard input; never from an argument.
Most options have a variable (SALLYPORT_PROXY, SALLYPORT_USER, ...) and a key in the configuration file.
`;

export function getCommand(): Command {
  const command = new Command('get')
    .description('Download a URL through the proxy of this network')
    .argument('<url>', 'http:// or https:// address')
    .option(
      '-o, --output <file>',
      'write to this file (by way of FILE.part); default standard output',
    )
    .option(
      '-H, --header <line>',
      'a header to send, as "Name: value"; may be repeated',
      (line: string, before: readonly string[] | undefined) => [...(before ?? []), line],
    );
  return withSignOnOptions(withRouteOptions(command))
    .addHelpText('after', EXAMPLES + EXIT_CODES_HELP)
    .action((address: string, flags: GetFlags) => get(address, flags));
}

async function get(address: string, flags: GetFlags): Promise<void> {
  const started = performance.now();
  const url = parseAddress(address);
  const headers = (flags.header ?? []).map(parseHeader);
  const file = flags.output === '-' ? undefined : flags.output;
  if (file === '') {
    throw new SallyportError('USAGE', '-o is empty', {
      hint: 'Name a file, or leave -o out for standard output.',
    });
  }
  if (flags.json && file === undefined) {
    throw new SallyportError('USAGE', '--json writes to standard output, where the download goes', {
      hint: 'Name a file for the download with -o.',
    });
  }
  if (file !== undefined) {
    await checkWritable(file);
  }
  if (flags.verbose) {
    narrate();
    await tellMemoryFault();
  }
  const settings = await settingsFor(url, flags);
  await using upstream = new Upstream(settings);
  const followed = await getFollowing(upstream, url, headers, (next) => {
    if (flags.verbose) {
      tellRoute(next, upstream.routeFor(next));
    }
  });
  const { response } = followed;
  if ((flags.verbose ?? 0) >= 2) {
    tellHeaders(response.rawHeaders);
  }
  const bytes = await take(response, file);
  if (flags.json) {
    await printSummary(url, followed, bytes, file, performance.now() - started);
  }
}

/** Whatever happens, the connection does not outlive the command. */
async function take(response: HttpResponse, file: string | undefined): Promise<number> {
  try {
    checkStatus(response);
    return await save(response, file);
  } finally {
    response.body.destroy();
  }
}

/** @throws SallyportError HTTP_STATUS, or the refusal of an origin that was answered */
function checkStatus({ status, reason, url, route, refusal }: HttpResponse): void {
  if (status >= 200 && status < 300) {
    return;
  }
  if (refusal !== null) {
    throw refusal;
  }
  const { host, hostname, protocol } = new URL(url);
  const answer = `${status} ${reason}`.trim();
  if (route.kind === 'proxy' && protocol === 'http:' && MAY_BE_THE_PROXYS.has(status)) {
    throw new SallyportError(
      'HTTP_STATUS',
      `The answer for ${host} is ${answer}, by that server or by ${targetName(route.proxy)}`,
      { hint: forwardedHint(status) },
    );
  }
  const hint: Record<number, string> = {
    400: 'Check the address: a server that wants https:// answers like this, too.',
    401: `That server wants a sign-on of its own: name it with --trusted ${hostname} for the signed-in user, or another user with --origin-user.`,
    403: 'That server forbids this address.',
    404: 'Check the address.',
  };
  throw new SallyportError(
    'HTTP_STATUS',
    `${host} answered ${answer}`,
    hint[status] === undefined ? {} : { hint: hint[status] },
  );
}

/** What proxies answer by themselves to a request they were to forward. */
const MAY_BE_THE_PROXYS = new Set([400, 403, 500, 502, 503, 504]);

function forwardedHint(status: number): string {
  if (status === 400) {
    return 'Check the address: a server that wants https:// is answered like this, too.';
  }
  return status === 403
    ? 'The address is forbidden: ask the people who run the proxy, or that server.'
    : 'Check the address; the proxy may be unable to reach that server. Then ask the people who run the proxy, or that server.';
}

async function save({ body, headers }: HttpResponse, file: string | undefined): Promise<number> {
  const destination = file === undefined ? standardOutput() : await fileDestination(file);
  const total = headers['content-length'];
  const shows = process.stderr.isTTY === true && (file !== undefined || !process.stdout.isTTY);
  const progress = shows
    ? new Progress(process.stderr, total === undefined ? null : Number(total))
    : null;
  let bytes = 0;
  let isComplete = false;
  const stop = (): void => {
    progress?.end();
    const kept = file === undefined ? '' : `; what has arrived is in ${partOf(file)}`;
    process.stderr.write(`sallyport: Stopped after ${formatBytes(bytes)}${kept}.\n`);
    process.exit(EXIT_INTERRUPTED);
  };
  process.once('SIGINT', stop);
  try {
    for await (const piece of body) {
      await destination.write(piece as Buffer);
      bytes += (piece as Buffer).length;
      progress?.add((piece as Buffer).length);
    }
    isComplete = true;
  } finally {
    process.off('SIGINT', stop);
    progress?.end();
    await destination.close(isComplete);
  }
  return bytes;
}

async function printSummary(
  url: URL,
  { response, redirects, legs, connections }: Followed,
  bytes: number,
  output: string | undefined,
  elapsedMs: number,
): Promise<void> {
  const summary = {
    ok: true,
    url: url.href,
    finalUrl: response.url,
    status: response.status,
    bytes,
    output,
    route: routeJson(response.route),
    scheme: response.scheme,
    identity: response.identity,
    legs,
    connections,
    redirects,
    elapsedMs: Math.round(elapsedMs),
  };
  await print(`${JSON.stringify(summary)}\n`);
}

/** @throws SallyportError HEADER_INVALID */
function parseHeader(line: string): HeaderField {
  const colon = line.indexOf(':');
  if (colon < 1) {
    const what = colon === -1 ? 'no colon behind its name' : 'no name';
    throw new SallyportError('HEADER_INVALID', `A header given with -H has ${what}`, {
      hint: 'Write it as -H "Name: value".',
    });
  }
  const field = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
  checkHeaderField(field);
  return field;
}
