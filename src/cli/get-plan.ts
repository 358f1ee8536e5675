// What `get` is to do: addresses, files and rules, from its arguments. Owns the refusal of what contradicts itself, before
// the first byte and before a password is asked for.
import { SallyportError } from '../errors/sallyport-error.ts';
import { checkHeaderField } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import { checkContradictions } from './get-contradictions.ts';
import type { Job } from './get-files.ts';
import { nameFiles } from './get-files.ts';
import type { GetFlags } from './get-flags.ts';
import type { UploadSource } from './upload-source.ts';
import { openUpload } from './upload-source.ts';
import { parseAddress } from './web-address.ts';

export interface Plan {
  readonly jobs: readonly Job[];
  readonly method: string;
  readonly headers: readonly HeaderField[];
  readonly upload: UploadSource | null;
  readonly continues: boolean;
  /** 64 hexadecimal digits in lower case, or `null`. */
  readonly sha256: string | null;
  readonly retries: number;
  readonly maxTimeMs: number | null;
}

/**
 * @param addresses as they were typed, one at least
 * @throws SallyportError USAGE, URL_INVALID, HEADER_INVALID, UPLOAD_UNREADABLE, OUTPUT_FAILED
 */
export async function planGet(addresses: readonly string[], flags: GetFlags): Promise<Plan> {
  const urls = addresses.map(parseAddress);
  const headers = (flags.header ?? []).map(parseHeader);
  const method = methodOf(flags);
  const sha256 = digestOf(flags);
  checkContradictions({ urls, method, headers }, flags);
  return {
    jobs: await nameFiles(urls, flags),
    method,
    headers,
    upload: flags.uploadFile === undefined ? null : await openUpload(flags.uploadFile),
    continues: flags.continue === true,
    sha256,
    retries: flags.retry ?? 0,
    maxTimeMs: flags.maxTime === undefined ? null : flags.maxTime * 1000,
  };
}

function methodOf({ method, uploadFile }: GetFlags): string {
  if (method === undefined) {
    return uploadFile === undefined ? 'GET' : 'PUT';
  }
  const name = method.toUpperCase();
  if (!/^[A-Z][A-Z-]*$/.test(name) || name === 'CONNECT') {
    throw new SallyportError('USAGE', `${JSON.stringify(method)} is no method for -X`, {
      hint: 'Name one such as HEAD, POST or DELETE.',
    });
  }
  return name;
}

function digestOf({ sha256 }: GetFlags): string | null {
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new SallyportError('USAGE', '--sha256 is not followed by 64 hexadecimal digits', {
      hint: 'sha256sum FILE prints them; nothing else may stand there.',
    });
  }
  return sha256?.toLowerCase() ?? null;
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
