// What the system's proxy settings say and this version cannot follow, in one sentence for people.
import { redactUrl } from '../observe/redact.ts';
import type { SystemProxy } from '../settings/system-proxy.ts';

/** Returns `undefined` when there is nothing to tell. */
export function systemNote(system: SystemProxy): string | undefined {
  const { name, pacUrl, autoDetect, problem } = system;
  if (pacUrl !== undefined) {
    return `${name} name the PAC file ${redactUrl(pacUrl)}, which this version does not evaluate: name the proxy with --proxy`;
  }
  if (problem !== undefined) {
    return `${name} cannot be used: ${problem}`;
  }
  return autoDetect
    ? `${name} ask for automatic detection (WPAD), which this version does not do: name the proxy with --proxy`
    : undefined;
}
