import { describe, expect, it } from 'vitest';
import { remedyCommand } from './report.ts';

describe('remedyCommand()', () => {
  it.each([
    [
      'adds the flags',
      ['get', 'http://x/'],
      { auth: 'basic', allowBasicHttp: true },
      'sallyport get --auth basic --allow-basic-http http://x/',
    ],
    [
      'replaces a flag and its value',
      ['get', '--auth', 'ntlm', 'http://x/'],
      { auth: 'basic' },
      'sallyport get --auth basic http://x/',
    ],
    [
      'replaces a flag with an equals sign',
      ['get', '--auth=ntlm', 'http://x/'],
      { auth: 'basic' },
      'sallyport get --auth basic http://x/',
    ],
    [
      'quotes what a shell would split',
      ['get', '-o', "$HOME it's", 'http://x/'],
      {},
      `sallyport get -o '$HOME it'\\''s' http://x/`,
    ],
    [
      'keeps a user name with its backslash in quotes',
      ['get', '--user', 'CORP\\alice', 'http://x/'],
      {},
      `sallyport get --user 'CORP\\alice' http://x/`,
    ],
    [
      'never repeats a password of a proxy URL',
      ['get', '--proxy', 'http://u:secret@p:1', 'http://x/'],
      {},
      'sallyport get --proxy http://***@p:1 http://x/',
    ],
    [
      'nor where an equals sign stands before it',
      ['get', '--proxy=http://u:secret@p:1', 'http://x/'],
      {},
      'sallyport get --proxy=http://***@p:1 http://x/',
    ],
    [
      'nor the value of a header',
      ['get', '-H', 'Authorization: Bearer secret', 'http://x/'],
      {},
      `sallyport get -H 'Authorization: ***' http://x/`,
    ],
    [
      'leaves names and paths with an at sign alone',
      ['get', '--user', 'alice@corp.example', 'http://x/@scope/y'],
      {},
      'sallyport get --user alice@corp.example http://x/@scope/y',
    ],
  ])('%s', (_claim, argv, remedy, command) => {
    expect(remedyCommand(argv, remedy as Record<string, string | true>)).toBe(command);
  });
});
