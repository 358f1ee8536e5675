// Which events of the engine and of the local proxy become log lines, and at which level. Owns the wording, and that no client can
// fill a disk with warnings.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type {
  ChoiceEvent,
  ConnectionEvent,
  HandshakeEvent,
  LegEvent,
  ReadyEvent,
  RequestEvent,
} from '../observe/events.ts';
import { EVENT_NAMES } from '../observe/events.ts';
import type { LogFields, ServeLog } from './serve-log.ts';

/** Warnings of one kind within a while; more are counted. */
const MAX_WARNINGS = 20;
const WHILE_MS = 10_000;

/** Begins to log; ends when disposed. */
export function logEvents(log: ServeLog): Disposable {
  const warn = warnings(log);
  const isDetailed = log.level === 'debug';
  const heard: (readonly [name: string, listen: (message: unknown) => void])[] = [
    [
      EVENT_NAMES.request,
      (message) => {
        const event = message as RequestEvent;
        if (isDetailed || isTrouble(event)) {
          logRequest(log, warn, event);
        }
      },
    ],
    [EVENT_NAMES.handshake, (message) => logHandshake(log, warn, message as HandshakeEvent)],
    [EVENT_NAMES.choice, (message) => logChoice(log, warn, message as ChoiceEvent)],
    [EVENT_NAMES.ready, (message) => logReady(log, message as ReadyEvent)],
  ];
  const detailed: typeof heard = [
    [EVENT_NAMES.leg, (message) => logLeg(log, message as LegEvent)],
    [EVENT_NAMES.connection, (message) => logConnection(log, message as ConnectionEvent)],
  ];
  // Each costs the engine something for every request.
  const all = isDetailed ? [...heard, ...detailed] : heard;
  for (const [name, listen] of all) {
    subscribe(name, listen);
  }
  return {
    [Symbol.dispose]: () => {
      for (const [name, listen] of all) {
        unsubscribe(name, listen);
      }
    },
  };
}

type Warn = (kind: string, message: string, fields: LogFields) => void;

/** No timer: what was left out is said with the next one. */
function warnings(log: ServeLog): Warn {
  const kinds = new Map<string, { since: number; count: number }>();
  return (kind, message, fields) => {
    const now = performance.now();
    const entry = kinds.get(kind) ?? { since: now, count: 0 };
    kinds.set(kind, entry);
    let leftOut = 0;
    if (now - entry.since >= WHILE_MS) {
      leftOut = Math.max(0, entry.count - MAX_WARNINGS);
      Object.assign(entry, { since: now, count: 0 });
    }
    entry.count += 1;
    if (entry.count <= MAX_WARNINGS) {
      log.say('warn', message, leftOut === 0 ? fields : { ...fields, leftOut });
    }
  };
}

function isTrouble({ kind, error }: RequestEvent): boolean {
  return error !== null || kind === 'refused' || kind === 'invalid';
}

function logRequest(log: ServeLog, warn: Warn, event: RequestEvent): void {
  const { kind, method, target, status, error, durationMs } = event;
  const fields = { kind, method, target, status, error, ms: Math.round(durationMs) };
  if (kind === 'refused' || kind === 'invalid') {
    warn(kind, kind === 'refused' ? 'client refused' : 'no request', fields);
  } else if (error !== null) {
    warn('failed', 'request failed', fields);
  } else {
    log.say('debug', status === null ? 'client went away' : 'request', fields);
  }
}

function logHandshake(log: ServeLog, warn: Warn, event: HandshakeEvent): void {
  const { layer, host, scheme, outcome, legs, durationMs } = event;
  const fields = { layer, host, scheme, legs, ms: Math.round(durationMs) };
  if (outcome === 'refused') {
    warn('refused sign-on', 'sign-on refused', fields);
  } else {
    log.say('debug', `sign-on ${outcome}`, fields);
  }
}

function logChoice(log: ServeLog, warn: Warn, { layer, host, chosen, reason }: ChoiceEvent): void {
  const fields = { layer, host, chosen, reason };
  if (chosen === null) {
    warn('gave up', 'no sign-on', fields);
  } else {
    log.say('debug', 'scheme chosen', fields);
  }
}

function logReady(log: ServeLog, { to, action, reason }: ReadyEvent): void {
  log.say(action === 'off' ? 'info' : 'debug', `ready connection ${action}`, { to, reason });
}

function logConnection(log: ServeLog, { action, to }: ConnectionEvent): void {
  log.say('debug', `connection ${action}`, { to });
}

function logLeg(log: ServeLog, { host, request, sent, status, offered }: LegEvent): void {
  const words = (of: Readonly<Record<string, unknown>>): string =>
    Object.entries(of)
      .map(([layer, what]) => `${layer}: ${what}`)
      .join('; ');
  log.say('debug', 'leg', { host, request, sent: words(sent), status, offered: words(offered) });
}
