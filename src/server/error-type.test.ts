// Error types by what happened.
import { describe, expect, it } from 'vitest';
import { SallyportError } from '../errors/sallyport-error.ts';
import { errorTypeOf } from './error-type.ts';

const failed = (word: string) => Object.assign(new Error(word), { code: word });

describe('errorTypeOf()', () => {
  it.each([
    ['name', 504, 'dns_timeout'],
    ['connection', 504, 'connection_timeout'],
    ['bytes', 504, 'connection_read_timeout'],
    ['answer', 504, 'http_response_timeout'],
  ] as const)('tells what a TIMEOUT waited for: %s', (waitedFor, status, type) => {
    expect(errorTypeOf(new SallyportError('TIMEOUT', 'late', { waitedFor }))).toEqual([
      status,
      type,
    ]);
  });

  it.each([
    ['ENOTFOUND', 'dns_error'],
    ['EAI_AGAIN', 'dns_error'],
    ['ECONNREFUSED', 'connection_refused'],
    ['EHOSTUNREACH', 'destination_ip_unroutable'],
    ['EPERM', 'destination_unavailable'],
  ])('tells why no connection came about: %s', (word, type) => {
    const cause = failed(word);
    expect(errorTypeOf(new SallyportError('PROXY_UNREACHABLE', 'no', { cause }))[1]).toBe(type);
    const several = new AggregateError([cause, failed('EOTHER')]);
    expect(errorTypeOf(new SallyportError('CONNECT_FAILED', 'no', { cause: several }))[1]).toBe(
      type,
    );
  });

  it('asks the cause of nothing else', () => {
    const cause = failed('ECONNREFUSED');
    expect(errorTypeOf(new SallyportError('CONNECTION_LOST', 'no', { cause }))[1]).toBe(
      'connection_terminated',
    );
    expect(errorTypeOf(new SallyportError('KDC_UNREACHABLE', 'no', { cause }))).toEqual([
      502,
      'proxy_configuration_error',
    ]);
  });
});
