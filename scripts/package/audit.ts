// `npm audit` of what is shipped. Owns which findings stop the gate, and that a registry without an audit does not.
import { execFile } from 'node:child_process';

/** A registry that is silent must not hold up the gate. */
const MAX_WAIT_MS = 15_000;
/** Lower ones are news to read, no reason to stop: most are about what a server does with hostile input. */
const STOPPING = ['critical', 'high'];

export interface AuditOutcome {
  readonly what: string;
  readonly faults: readonly string[];
}

/** Never throws: offline, the line says so. */
export function auditDependencies(): Promise<AuditOutcome> {
  const args = ['audit', '--omit=dev', '--json', '--fetch-retries=0'];
  return new Promise((resolve) => {
    execFile('npm', args, { timeout: MAX_WAIT_MS }, (_, stdout) => resolve(judgeAudit(stdout)));
  });
}

/** @param json what `npm audit --json` printed */
export function judgeAudit(json: string): AuditOutcome {
  const { vulnerabilities, statusCode } = parse(json);
  if (vulnerabilities === undefined) {
    const why = typeof statusCode === 'number' ? `it answered ${statusCode}` : 'no answer';
    return { what: `npm audit, not available from this registry (${why})`, faults: [] };
  }
  const found = Object.entries(vulnerabilities);
  const faults = found
    .filter(([, { severity }]) => STOPPING.includes(severity))
    .map(([name, { severity }]) => `${name}: ${severity}; see npm audit --omit=dev`);
  return { what: `npm audit, findings below high: ${found.length - faults.length}`, faults };
}

interface Report {
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string }>>;
  readonly statusCode?: unknown;
}

function parse(json: string): Report {
  try {
    return JSON.parse(json) as Report;
  } catch {
    return {};
  }
}
