// Runs the checks one after the other, each within its time, and none hides the next. Owns that order and the limits; what
// a check looks at is its own.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { UpstreamSettings } from '../upstream/settings.ts';
import { handshakeCheck } from './checks/handshake.ts';
import { identityCheck } from './checks/identity.ts';
import { offersCheck } from './checks/offers.ts';
import { platformCheck } from './checks/platform.ts';
import { proxyDnsCheck } from './checks/proxy-dns.ts';
import { proxyTcpCheck } from './checks/proxy-tcp.ts';
import { proxyTlsCheck } from './checks/proxy-tls.ts';
import { routeCheck } from './checks/route.ts';
import type { Check } from './examination.ts';
import { Examination } from './examination.ts';
import type { Finding } from './findings.ts';
import { asError, failed, finding } from './findings.ts';
import { withoutPaths } from './private-paths.ts';
import type { Verdict } from './verdict.ts';
import { verdictOf } from './verdict.ts';

export interface Report {
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
}

export interface DiagnoseOptions {
  /** Whether the URL was asked about; else it is an example, and nothing but the proxy is contacted. */
  readonly isAsked: boolean;
  /** Is told what is under way. */
  readonly onCheck?: (doing: string) => void;
  /** The command that has these options besides those that were given. */
  readonly tellRemedy?: (remedy: Readonly<Record<string, string | true>>) => string;
  readonly checks?: readonly Check[];
  /** For the whole of it, in milliseconds. */
  readonly totalMs?: number;
}

const CHECKS: readonly Check[] = [
  ...[platformCheck, routeCheck, proxyDnsCheck, proxyTcpCheck, proxyTlsCheck],
  ...[offersCheck, identityCheck, handshakeCheck],
];
const TOTAL_MS = 60_000;
const TOO_SLOW = 'Check the network, and whether the proxy is in good health.';

/** Looks at everything between this machine and the proxy. Rejects never: what goes wrong is a finding. */
export async function diagnose(
  url: URL,
  settings: UpstreamSettings,
  options: DiagnoseOptions,
): Promise<Report> {
  const { isAsked, onCheck = () => undefined, checks = CHECKS, totalMs = TOTAL_MS } = options;
  const exam = new Examination(url, settings, isAsked);
  const due = performance.now() + totalMs;
  const findings: Finding[] = [];
  for (const check of checks) {
    const reason = check.skip(exam);
    if (reason === null) {
      onCheck(check.doing);
      findings.push(...(await runCheck(check, exam, due - performance.now())));
    } else {
      findings.push(finding(check.id, 'skipped', `Not looked at: ${reason}`));
    }
  }
  const report = { findings, verdict: verdictOf(exam) };
  return withoutPaths(withRemedy(report, exam, options), exam.route);
}

/** The words of a remedy end with a colon: the command follows. */
function withRemedy(report: Report, { stop }: Examination, options: DiagnoseOptions): Report {
  const { findings, verdict } = report;
  const { next, ...said } = verdict;
  if (stop?.remedy === undefined || options.tellRemedy === undefined) {
    return report;
  }
  const whole = `${next ?? ''} ${options.tellRemedy(stop.remedy)}`.trim();
  return {
    findings: findings.map((one) => (one.next === next ? { ...one, next: whole } : one)),
    verdict: { ...said, next: whole },
  };
}

async function runCheck(
  check: Check,
  exam: Examination,
  leftMs: number,
): Promise<readonly Finding[]> {
  try {
    if (leftMs <= 0) {
      throw new SallyportError('TIMEOUT', `No time was left for ${check.doing}`, {
        hint: TOO_SLOW,
      });
    }
    return await inTime(check, exam, Math.min(check.limitMs, leftMs));
  } catch (thrown) {
    const error = asError(thrown);
    if (check.isOnTheWay) {
      exam.stop ??= error;
    }
    return [failed(check.id, error)];
  }
}

/** What is given up gets its signal, and whatever it still comes to is not waited for. */
function inTime(check: Check, exam: Examination, limitMs: number): Promise<readonly Finding[]> {
  const controller = new AbortController();
  const seconds = Math.round(limitMs / 1000);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new SallyportError('TIMEOUT', `Gave up ${check.doing} after ${seconds} s`, {
        hint: TOO_SLOW,
      });
      controller.abort(error);
      reject(error);
    }, limitMs);
    check
      .run(exam, controller.signal)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
