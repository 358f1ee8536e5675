// What `-v` shows: the events of the engine, one line each, on standard error. Owns the wording; the events come
// redacted.
import { subscribe } from 'node:diagnostics_channel';
import { findMemoryFault } from '../auth/logons/memory-state.ts';
import type { ChoiceEvent, ConnectionEvent, LegEvent } from '../observe/events.ts';
import { EVENT_NAMES } from '../observe/events.ts';
import { redactHeader } from '../observe/redact.ts';
import type { Route } from '../route/route.ts';
import { describeRoute } from './describe-route.ts';
import { printable } from './printable.ts';

/** Tells every leg from now on. */
export function narrate(): void {
  subscribe(EVENT_NAMES.connection, (message) => {
    const { action, to } = message as ConnectionEvent;
    say(`* connection to ${to} ${action}`);
  });
  subscribe(EVENT_NAMES.choice, (message) => {
    const { chosen, reason, layer } = message as ChoiceEvent;
    say(`* ${layer}: ${chosen ?? 'gave up'}: ${reason}`);
  });
  subscribe(EVENT_NAMES.leg, (message) => {
    const { host, request, sent, status, offered } = message as LegEvent;
    const credentials = Object.entries(sent).map(([layer, scheme]) => `${scheme} for the ${layer}`);
    say(`> ${request}${credentials.length === 0 ? '' : ` with ${credentials.join(' and ')}`}`);
    const offers = Object.entries(offered).map(
      ([layer, schemes]) => `, ${layer} offers ${schemes.join(', ')}`,
    );
    say(`< ${status} from ${host}${offers.join('')}`);
  });
}

/** Where the memory of refusals cannot be used, one wrong logon is one a command. */
export async function tellMemoryFault(): Promise<void> {
  const fault = await findMemoryFault();
  if (fault !== null) {
    say(`* refusals cannot be remembered for other commands: ${fault}`);
  }
}

export function tellRoute(url: URL, route: Route): void {
  say(`* ${url.origin}: ${describeRoute(route)}`);
}

/** Name, value, name, value, ... */
export function tellHeaders(rawHeaders: readonly string[]): void {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    say(`<   ${name}: ${redactHeader(name, rawHeaders[at + 1] ?? '')}`);
  }
}

/** A remark of the command itself. */
export function remark(text: string): void {
  say(`* ${text}`);
}

function say(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}
