import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishRequest } from '../observe/events.ts';
import { redactTarget } from '../observe/redact.ts';
import type { LogFormat } from '../settings/serve-configuration.ts';
import { logEvents } from './log-events.ts';
import { createServeLog, tellDropped } from './serve-log.ts';

/** Letters no part of a line is made of. */
const secrets = fc
  .string({ unit: fc.constantFrom(...'QWXYZ0123456789'), minLength: 10, maxLength: 40 })
  .map((word) => `QZ${word}`);

function logged(
  format: LogFormat,
  token: string,
  play: (log: ReturnType<typeof createServeLog>) => void,
): string[] {
  const lines: string[] = [];
  play(createServeLog({ write: (line) => void lines.push(line) }, format, 'debug', [token]));
  return lines;
}

describe('createServeLog()', { timeout: 15_000 }, () => {
  it('shows no secret, wherever it stands in a text, in either form', () => {
    const places: readonly ((secret: string) => string)[] = [
      (secret) => `http://alice:${secret}@proxy.test:3128 did not answer`,
      (secret) => `CONNECT to https://${secret}@host.test/path`,
      (secret) => `GET https://host.test/file?sig=${secret} failed`,
      (secret) => `https://host.test/a#${secret}`,
      (secret) => `Proxy-Authorization: Basic ${secret}`,
      (secret) => `answered with Negotiate ${secret}`,
      (secret) => `NTLM ${secret}`,
      (secret) => `authorization: ${secret}`,
    ];
    fc.assert(
      fc.property(
        secrets,
        fc.constantFrom(...places),
        fc.constantFrom('text', 'json'),
        (secret, place, format) => {
          const lines = logged(format as LogFormat, 'another-word', (log) => {
            log.say('warn', place(secret), { reason: place(secret) });
          });
          expect(lines).toHaveLength(1);
          expect(lines.join('')).not.toContain(secret);
        },
      ),
    );
  });

  it('never shows the token of the port, even where nothing tells that it is one', () => {
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (token, before, behind) => {
        const text = `${before}${token}${behind}`;
        const lines = logged('json', token, (log) => log.say('info', text, { text }));
        expect(lines.join('')).not.toContain(token);
      }),
    );
  });

  it('is one bounded line for whatever a client sends', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }).map((piece) => piece.repeat(20)),
        fc.constantFrom('text', 'json'),
        (text, format) => {
          const lines = logged(format as LogFormat, 'another-word', (log) => {
            log.say('warn', 'client refused', { method: text, target: text });
          });
          expect(lines).toHaveLength(1);
          expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1);
          // A character of JSON is six at most.
          expect(lines[0]?.length).toBeLessThan(2 * 6 * 310 + 200);
        },
      ),
    );
  });

  it('leaves out what is below its level', () => {
    const lines = logged('json', 'another-word', (log) => {
      log.level = 'warn';
      log.say('info', 'no');
      log.say('error', 'yes');
    });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 'error', time: expect.stringMatching(/^\d{4}-.*Z$/), msg: 'yes' },
    ]);
  });

  it('tells people the same in words', () => {
    const [line] = logged('text', 'another-word', (log) =>
      log.say('warn', 'no sign-on', { host: 'p:1', chosen: null }),
    );
    expect(line).toMatch(/^\S+Z warn {2}no sign-on \(host p:1\)\n$/);
  });
});

describe('tellDropped()', () => {
  it('is a line like others', () => {
    expect(JSON.parse(tellDropped('json')(3, 'ENOSPC'))).toMatchObject({
      level: 'warn',
      dropped: 3,
      why: 'ENOSPC',
    });
    expect(tellDropped('text')(3, 'ENOSPC')).toContain(
      '3 log lines before this one were lost (dropped 3, why ENOSPC)',
    );
  });
});

describe('redactTarget()', () => {
  it.each([
    ['http://registry.test/@scope/name?token=x', 'http://registry.test/@scope/name'],
    ['http://alice:hidden@host.test/', 'http://***@host.test/'],
    ['alice:hidden@host.test:443', '***@host.test:443'],
    ['http://alice:hid/den@host.test/', 'http://***@host.test/'],
    ['host.test:443', 'host.test:443'],
    ['/metrics?x=hidden', '/metrics'],
  ])('shows %s as %s', (target, shown) => {
    expect(redactTarget(target)).toBe(shown);
  });

  it('cuts what is long', () => {
    expect(redactTarget(`http://host.test/${'a'.repeat(1000)}`)).toHaveLength(203);
  });
});

describe('logEvents()', () => {
  it('lets no client fill the disk with warnings, and says how many it left out', () => {
    const lines = logged('json', 'another-word', (log) => {
      using events = logEvents(log);
      expect(events).toBeDefined();
      for (let count = 0; count < 1000; count += 1) {
        publishRequest({
          kind: 'refused',
          method: 'GET',
          target: '/',
          status: 407,
          error: null,
          durationMs: 1,
        });
      }
    });
    expect(lines).toHaveLength(20);
  });
});
