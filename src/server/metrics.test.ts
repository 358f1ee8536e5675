import { describe, expect, it } from 'vitest';
import { publishHandshake, publishReady, publishRequest } from '../observe/events.ts';
import { createMetrics } from './metrics.ts';

const INPUTS = {
  counts: () => ({
    clientsOpen: 1,
    clients: 2,
    tunnelsOpen: 3,
    tunnels: 4,
    bytesUp: 5,
    bytesDown: 6,
  }),
  breakers: () => [{ realm: 'corp.test', account: 'alice', state: 'waiting' as const }],
  logLinesDropped: () => 9,
};

describe('createMetrics()', () => {
  it('gives what it is told, and what is counted elsewhere', async () => {
    using metrics = createMetrics(INPUTS);
    const request = {
      method: 'GET',
      target: 'http://host.test/',
      error: null,
      durationMs: 30,
    } as const;
    publishRequest({ ...request, kind: 'forward', status: 200 });
    publishRequest({ ...request, kind: 'forward', status: null });
    publishRequest({ ...request, kind: 'tunnel', status: 502, error: 'PROXY_UNREACHABLE' });
    publishHandshake(() => ({
      layer: 'proxy',
      host: 'proxy.test:3128',
      scheme: 'Negotiate',
      outcome: 'refused',
      legs: 2,
      durationMs: 4,
    }));
    publishReady({ to: 'proxy.test:3128', action: 'wasted', reason: 'expired' });
    const { contentType, text } = await metrics.page();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = text.split('\n');
    for (const line of [
      'sallyport_requests_total{kind="forward",status="2xx"} 1',
      'sallyport_requests_total{kind="forward",status="gone"} 1',
      'sallyport_requests_total{kind="tunnel",status="5xx"} 1',
      'sallyport_request_failures_total{error="PROXY_UNREACHABLE"} 1',
      'sallyport_request_duration_seconds_bucket{le="0.025",kind="forward"} 0',
      'sallyport_request_duration_seconds_bucket{le="0.05",kind="forward"} 1',
      'sallyport_handshakes_total{layer="proxy",scheme="Negotiate",outcome="refused"} 1',
      'sallyport_handshake_duration_seconds_bucket{le="0.005",scheme="Negotiate"} 1',
      'sallyport_ready_connections_total{action="wasted"} 1',
      'sallyport_logon_breakers{state="waiting"} 1',
      'sallyport_logon_breakers{state="open"} 0',
      'sallyport_clients_open 1',
      'sallyport_clients_total 2',
      'sallyport_tunnels_open 3',
      'sallyport_tunnels_total 4',
      'sallyport_client_bytes_total{direction="up"} 5',
      'sallyport_client_bytes_total{direction="down"} 6',
      'sallyport_log_lines_dropped_total 9',
    ]) {
      expect(lines).toContain(line);
    }
    expect(text).not.toMatch(/host\.test|proxy\.test|alice|corp\.test/);
  });

  it('has the same number of series after many hosts, targets and statuses', async () => {
    using metrics = createMetrics(INPUTS);
    const seriesAfter = async (rounds: number): Promise<number> => {
      for (let at = 0; at < rounds; at += 1) {
        const target = `http://h${at}.test/`;
        publishRequest({
          kind: 'forward',
          method: `M${at}`,
          target,
          status: 200 + (at % 400),
          error: null,
          durationMs: at,
        });
      }
      return (await metrics.page()).text.split('\n').length;
    };
    const first = await seriesAfter(500);
    expect(await seriesAfter(2000)).toBe(first);
  });

  it('hears nothing any more when it is disposed, and can be made again', async () => {
    createMetrics(INPUTS)[Symbol.dispose]();
    using metrics = createMetrics(INPUTS);
    publishReady({ to: 'p', action: 'used', reason: null });
    expect((await metrics.page()).text).toContain(
      'sallyport_ready_connections_total{action="used"} 1',
    );
  });
});
