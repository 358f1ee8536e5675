// The one sentence a report ends with: it works, or what stands in the way and whose turn it is.
import type { Blame, ErrorCode, Outcome } from '../errors/codes.ts';
import type { SallyportError } from '../errors/sallyport-error.ts';
import { formatProxyUrl } from '../route/route.ts';
import { targetName } from '../upstream/target.ts';
import type { Examination } from './examination.ts';

export interface Verdict {
  /** `null`: there was nothing to find out. */
  readonly works: boolean | null;
  /** One sentence, without a final period. */
  readonly title: string;
  /** Whose turn it is, in words. */
  readonly turn?: string;
  /** What to do. */
  readonly next?: string;
  readonly code?: ErrorCode;
  readonly blame?: Blame;
  /** How a command ends that failed this way. */
  readonly outcome?: Outcome;
}

const TURNS: Readonly<Record<Blame, string>> = {
  config: 'yours (settings)',
  credentials: 'yours (sign-on)',
  network: 'whoever runs the network',
  platform: 'whoever looks after this machine',
  proxy: 'the people who run the proxy',
  origin: 'the people who run the web server',
  user: 'yours',
  us: 'the people who make Sallyport',
};

export function verdictOf(exam: Examination): Verdict {
  const { stop, passage, proxy } = exam;
  const target = targetName(exam.target);
  if (stop !== null) {
    return doesNotWork(stop);
  }
  if (proxy === null) {
    return passage === null
      ? {
          works: null,
          title: 'there is no proxy on this route, and nothing was contacted',
          next: 'Name the proxy with --proxy, or give doctor a URL to try.',
        }
      : { works: true, title: `${target} is reached directly, without a proxy` };
  }
  const by = passage?.scheme ?? null;
  const who = by === null ? 'without sign-on' : `as ${passage?.identity ?? 'somebody'}, by ${by}`;
  return { works: true, title: `${formatProxyUrl(proxy)} leads to ${target} ${who}` };
}

/** A forwarded request is answered by either, in the same words. */
const EITHER = 'the people who run the web server, or the proxy';

function doesNotWork({ message, hint, code, blame, outcome }: SallyportError): Verdict {
  return {
    works: false,
    title: message.replace(/\.$/, ''),
    turn: code === 'HTTP_STATUS' ? EITHER : TURNS[blame],
    ...(hint !== undefined && { next: hint }),
    code,
    blame,
    outcome,
  };
}
