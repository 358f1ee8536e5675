// The URL a person types. Owns the help for those that are almost one.
import { SallyportError } from '../errors/sallyport-error.ts';

/** @throws SallyportError URL_INVALID; the text is shown only where it cannot hold a password */
export function parseAddress(text: string): URL {
  const shown = text.includes('@') ? 'The address' : JSON.stringify(text);
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw new SallyportError('URL_INVALID', `${shown} is not a URL`, {
      hint: 'Write it in full, as https://example.com/file.',
    });
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === '' || !/^https?:$/.test(url.protocol)) {
    throw new SallyportError(
      'URL_INVALID',
      `${shown} is not an http:// or https:// URL with a host`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new SallyportError(
      'URL_INVALID',
      `The URL of ${url.host} has a user name or password in it`,
      {
        hint: 'Name the user with --origin-user; the password is asked for.',
      },
    );
  }
  url.hash = '';
  return url;
}
