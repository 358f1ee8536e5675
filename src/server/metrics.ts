// What Prometheus is told, by prom-client. Owns the names of the metrics and that their labels are few: no host, no user, no
// address is one.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Breaker } from '../auth/logons/logon-gate.ts';
import type {
  ConnectionEvent,
  HandshakeEvent,
  ReadyEvent,
  RequestEvent,
} from '../observe/events.ts';
import { EVENT_NAMES } from '../observe/events.ts';
import { VERSION } from '../observe/version.ts';
import type { OwnPage } from './own-pages.ts';
import type { ServerCounts } from './traffic.ts';

export interface MetricsInputs {
  readonly counts: () => ServerCounts;
  readonly breakers: () => readonly Breaker[];
  readonly logLinesDropped: () => number;
}

export interface Metrics extends Disposable {
  page(): Promise<OwnPage>;
}

/** Seconds: from a tunnel on a ready connection to a proxy that is about to be given up. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];
const STATES: readonly Breaker['state'][] = ['open', 'waiting', 'closed', 'unproven'];

/** Counts from now on, until disposed. */
export function createMetrics(inputs: MetricsInputs): Metrics {
  const registry = new Registry();
  const unsubscribeAll = countEvents(registry);
  readCounts(registry, inputs);
  readProcess(registry);
  return {
    page: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    [Symbol.dispose]: unsubscribeAll,
  };
}

/** @returns ends it */
function countEvents(registry: Registry): () => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'sallyport_requests_total',
    help: 'Requests of clients, by what they were and the class of the answer; gone: the client did not wait',
    labelNames: ['kind', 'status'],
    registers,
  });
  const failures = new Counter({
    name: 'sallyport_request_failures_total',
    help: 'Requests Sallyport itself had to answer, by the code of the error',
    labelNames: ['error'],
    registers,
  });
  const durations = new Histogram({
    name: 'sallyport_request_duration_seconds',
    help: 'From the head of a request to the beginning of its answer',
    labelNames: ['kind'],
    buckets: BUCKETS,
    registers,
  });
  const handshakes = new Counter({
    name: 'sallyport_handshakes_total',
    help: 'Sign-ons, by who asked for them, scheme and outcome',
    labelNames: ['layer', 'scheme', 'outcome'],
    registers,
  });
  const handshakeDurations = new Histogram({
    name: 'sallyport_handshake_duration_seconds',
    help: 'From the first token of a sign-on to its end',
    labelNames: ['scheme'],
    buckets: BUCKETS,
    registers,
  });
  const connections = new Counter({
    name: 'sallyport_upstream_connections_total',
    help: 'Connections to proxies and web servers: opened, reused, or kept for reuse (pooled)',
    labelNames: ['action'],
    registers,
  });
  const ready = new Counter({
    name: 'sallyport_ready_connections_total',
    help: 'Connections signed on ahead: made, used, wasted; off: times none were made any more',
    labelNames: ['action'],
    registers,
  });
  // prom-client looks each label up by its text: not for every request.
  const ofAnswer = remembered((key) => {
    const [kind = '', status = ''] = key.split(' ');
    return requests.labels(kind, status);
  });
  const ofKind = remembered((kind) => durations.labels(kind));
  const ofAction = remembered((action) => connections.labels(action));
  return listenTo([
    [
      EVENT_NAMES.request,
      (message) => {
        const { kind, status, error, durationMs } = message as RequestEvent;
        ofAnswer(`${kind} ${statusClass(status)}`).inc();
        if (error !== null) {
          failures.labels(error).inc();
        }
        if (status !== null && kind !== 'invalid') {
          ofKind(kind).observe(durationMs / 1000);
        }
      },
    ],
    [
      EVENT_NAMES.handshake,
      (message) => {
        const { layer, scheme, outcome, durationMs } = message as HandshakeEvent;
        handshakes.labels(layer, scheme, outcome).inc();
        handshakeDurations.labels(scheme).observe(durationMs / 1000);
      },
    ],
    [EVENT_NAMES.connection, (message) => ofAction((message as ConnectionEvent).action).inc()],
    [EVENT_NAMES.ready, (message) => ready.labels((message as ReadyEvent).action).inc()],
  ]);
}

/** For keys that are few. */
function remembered<Value>(make: (key: string) => Value): (key: string) => Value {
  const made = new Map<string, Value>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}

function listenTo(pairs: readonly (readonly [string, (message: unknown) => void])[]): () => void {
  for (const [name, listen] of pairs) {
    subscribe(name, listen);
  }
  return () => {
    for (const [name, listen] of pairs) {
      unsubscribe(name, listen);
    }
  };
}

function statusClass(status: number | null): string {
  return status === null ? 'gone' : `${Math.min(9, Math.max(1, Math.floor(status / 100)))}xx`;
}

/** What is counted elsewhere, read when somebody asks. */
function readCounts(
  registry: Registry,
  { counts, breakers, logLinesDropped }: MetricsInputs,
): void {
  gauge(registry, 'sallyport_clients_open', 'Connections of clients', () => counts().clientsOpen);
  counter(
    registry,
    'sallyport_clients_total',
    'Connections of clients so far',
    () => counts().clients,
  );
  gauge(registry, 'sallyport_tunnels_open', 'Tunnels', () => counts().tunnelsOpen);
  counter(registry, 'sallyport_tunnels_total', 'Tunnels so far', () => counts().tunnels);
  counter(
    registry,
    'sallyport_log_lines_dropped_total',
    'Log lines that could not be written',
    logLinesDropped,
  );
  const registers = [registry];
  new Counter({
    name: 'sallyport_client_bytes_total',
    help: 'Bytes on the connections of clients: up from them, down to them',
    labelNames: ['direction'],
    registers,
    collect() {
      const { bytesUp, bytesDown } = counts();
      this.reset();
      this.inc({ direction: 'up' }, bytesUp);
      this.inc({ direction: 'down' }, bytesDown);
    },
  });
  new Gauge({
    name: 'sallyport_logon_breakers',
    help: 'Passwords and sign-ons by state: open and waiting send nothing, closed was accepted lately, unproven goes alone',
    labelNames: ['state'],
    registers,
    collect() {
      const all = breakers();
      for (const wanted of STATES) {
        this.set({ state: wanted }, all.filter(({ state }) => state === wanted).length);
      }
    },
  });
  new Gauge({ name: 'sallyport_info', help: 'The version', labelNames: ['version'], registers })
    .labels(VERSION)
    .set(1);
}

/** prom-client's own set also measures the event loop, which wakes it a hundred times a second. */
function readProcess(registry: Registry): void {
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  counter(registry, 'process_cpu_seconds_total', 'Processor time', cpuSeconds);
  gauge(registry, 'process_resident_memory_bytes', 'Resident memory', () =>
    process.memoryUsage.rss(),
  );
  gauge(registry, 'process_start_time_seconds', 'When it began, in seconds since 1970', () =>
    Math.round(Date.now() / 1000 - process.uptime()),
  );
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

function counter(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}
