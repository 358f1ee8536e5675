// The name of a file by the address it comes from: the last segment of its path. Owns what such a name must not hold: it is
// to lie in the folder that was meant, on every system.
import { SallyportError } from '../errors/sallyport-error.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is to find
const NOT_IN_A_NAME = /[\0-\x1f\x7f-\x9f/\\]/;
/** What Windows keeps for itself, as characters and as whole names. */
const NOT_ON_WINDOWS = /[<>:"|?*]|[. ]$/g;
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * `https://example.com/a/b%20c.zip?x` -> `b c.zip`
 *
 * @throws SallyportError USAGE when the address has no such segment
 */
export function fileNameOf(url: URL, platform: NodeJS.Platform = process.platform): string {
  const segment = url.pathname.split('/').at(-1) ?? '';
  const decoded = decode(segment);
  const name = NOT_IN_A_NAME.test(decoded) ? segment : decoded;
  if (name === '' || name === '.' || name === '..') {
    throw new SallyportError(
      'USAGE',
      `${url.origin}${url.pathname} does not end with a file name`,
      {
        hint: 'Download it alone, and name its file with -o.',
      },
    );
  }
  if (platform !== 'win32') {
    return name;
  }
  const allowed = name.replaceAll(NOT_ON_WINDOWS, '_');
  return DEVICES.test(allowed) ? `_${allowed}` : allowed;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
