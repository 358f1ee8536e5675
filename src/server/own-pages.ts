// Pages of the local proxy itself, for whoever may use its port. Owns what a browser may do with them: look. None of them changes
// anything.
import type { RequestHead } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { OwnAnswer } from './answers.ts';
import { page } from './answers.ts';

export interface OwnPage {
  readonly contentType: string;
  readonly text: string;
}

/** @param host `address:port`, as the client wrote it */
export type MakePage = (host: string) => OwnPage | Promise<OwnPage>;

export interface OwnPages {
  /** The answer to a request in origin-form. Its `Host` is one of ours. */
  find(head: RequestHead): OwnAnswer | Promise<OwnAnswer>;
}

/** Nothing is kept, framed, run or read by another site. */
const GUARDS: readonly HeaderField[] = [
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'no-referrer'],
  [
    'Content-Security-Policy',
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  ],
];

/** @param pages by path; `/` says what this port is, unless there is one for it */
export function createOwnPages(pages: Readonly<Record<string, MakePage>>): OwnPages {
  return {
    find: async ({ method, target, headers }) => {
      const [path = ''] = target.split('?', 1);
      const make = Object.hasOwn(pages, path) ? pages[path] : undefined;
      if (make === undefined && path !== '/') {
        const known = Object.keys(pages);
        const others = known.length === 0 ? '' : ` Its own pages are ${known.join(', ')}.`;
        return page(404, `There is no such page. This port is a proxy.${others}`, GUARDS);
      }
      if (method !== 'GET' && method !== 'HEAD') {
        return page(405, 'Pages of this port can be looked at, nothing else', [
          ...GUARDS,
          ['Allow', 'GET, HEAD'],
        ]);
      }
      if (make === undefined) {
        const text =
          'Sallyport is at work. This port is a proxy: name it in HTTP_PROXY and HTTPS_PROXY.';
        return page(200, text, GUARDS);
      }
      const { contentType, text } = await make(headers.first('host') ?? '');
      return {
        status: 200,
        reason: 'OK',
        headers: [['Content-Type', contentType], ...GUARDS],
        body: Buffer.from(text),
      };
    },
  };
}
