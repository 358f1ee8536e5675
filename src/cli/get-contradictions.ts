// Options of `get` that contradict each other. Owns the words about it; looks at nothing but the options.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { GetFlags } from './get-flags.ts';
import { REPEATABLE } from './retries.ts';

/** What is asked for, as far as it is understood. */
interface Asked {
  readonly urls: readonly URL[];
  readonly method: string;
  readonly headers: readonly HeaderField[];
}

/** @throws SallyportError USAGE */
export function checkContradictions({ urls, method, headers }: Asked, flags: GetFlags): void {
  checkHead(urls, method, flags);
  checkOutput(urls, flags);
  checkUpload(urls, flags);
  checkContinue(method, headers, flags);
  checkRetry(method, flags);
  if (urls.length > 1 && flags.sha256 !== undefined) {
    throw new SallyportError(
      'USAGE',
      '--sha256 is the digest of one download, and several are given',
      {
        hint: 'Download them one by one, or leave it out.',
      },
    );
  }
}

/** There is a head to print, and nothing that could be a file. */
function checkHead(urls: readonly URL[], method: string, flags: GetFlags): void {
  if (method !== 'HEAD') {
    return;
  }
  const { output, sha256, json } = flags;
  if (urls.length > 1) {
    throw new SallyportError('USAGE', '-X HEAD asks one address, and several are given', {
      hint: 'Ask one after the other.',
    });
  }
  const contradicting = [
    output === undefined || output === '-' ? null : '-o',
    sha256 === undefined ? null : '--sha256',
    json ? '--json' : null,
  ].find((option) => option !== null);
  if (contradicting !== undefined) {
    throw new SallyportError('USAGE', `${contradicting} is for a body, and -X HEAD has none`, {
      hint: `Leave ${contradicting} out: status and headers go to standard output.`,
    });
  }
}

function checkOutput(urls: readonly URL[], { output, json }: GetFlags): void {
  if (output === '') {
    throw new SallyportError('USAGE', '-o is empty', {
      hint: 'Name a file, or leave -o out for standard output.',
    });
  }
  if (urls.length > 1 && output === '-') {
    throw new SallyportError('USAGE', 'Several downloads cannot share standard output', {
      hint: 'Leave -o out: each goes to a file named by the end of its address.',
    });
  }
  if (json && urls.length === 1 && (output === undefined || output === '-')) {
    throw new SallyportError('USAGE', '--json writes to standard output, where the download goes', {
      hint: 'Name a file for the download with -o.',
    });
  }
}

function checkUpload(urls: readonly URL[], flags: GetFlags): void {
  const { uploadFile, passwordStdin, originPasswordStdin } = flags;
  if (uploadFile === undefined) {
    return;
  }
  if (uploadFile === '') {
    throw new SallyportError('USAGE', '-T is empty', { hint: 'Name the file that is to be sent.' });
  }
  if (urls.length > 1) {
    throw new SallyportError('USAGE', '-T sends a file to one address, and several are given', {
      hint: 'Upload to one after the other.',
    });
  }
  if (uploadFile === '-' && (passwordStdin || originPasswordStdin)) {
    throw new SallyportError('USAGE', 'Standard input cannot be both password and upload', {
      hint: 'Upload a file, or give the password in SALLYPORT_PASSWORD.',
    });
  }
  if (flags.continue || flags.sha256 !== undefined) {
    const option = flags.continue ? '--continue' : '--sha256';
    throw new SallyportError('USAGE', `${option} is for downloads, and -T uploads`, {
      hint: `Leave ${option} out.`,
    });
  }
}

function checkContinue(method: string, headers: readonly HeaderField[], flags: GetFlags): void {
  if (!flags.continue) {
    return;
  }
  if (flags.output === '-') {
    throw new SallyportError('USAGE', '--continue goes on in a file, and -o - is none', {
      hint: 'Name the file with -o.',
    });
  }
  if (method !== 'GET') {
    throw new SallyportError('USAGE', `--continue is for downloads, not for ${method}`);
  }
  const own = headers.find(([name]) => /^(?:range|if-range)$/i.test(name));
  if (own !== undefined) {
    throw new SallyportError('USAGE', `--continue sets ${own[0]} itself`, {
      hint: 'Leave one of the two out.',
    });
  }
}

function checkRetry(method: string, { retry = 0, uploadFile }: GetFlags): void {
  if (retry === 0) {
    return;
  }
  if (uploadFile === '-') {
    throw new SallyportError('USAGE', '--retry sends it again, and standard input is read once', {
      hint: 'Upload a file, or leave --retry out.',
    });
  }
  if (!REPEATABLE.has(method)) {
    throw new SallyportError(
      'USAGE',
      `--retry repeats the request, and a ${method} may act twice`,
      {
        hint: 'Leave --retry out.',
      },
    );
  }
}
