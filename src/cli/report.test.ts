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
      'replaces a flag without a value, and nothing behind it',
      ['get', '--allow-basic-http', 'http://x/'],
      { allowBasicHttp: true },
      'sallyport get --allow-basic-http http://x/',
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

  it.each([
    [['-H', 'X-Key: secret'], "-H 'X-Key: ***'"],
    [['-HX-Key: secret'], "'-HX-Key: ***'"],
    [['--header', 'X-Key: secret'], "--header 'X-Key: ***'"],
    [['--header=X-Key: secret'], "'--header=X-Key: ***'"],
    [['-vH', 'X-Key: secret'], "-vH 'X-Key: ***'"],
    [['-cvHX-Key: secret'], "'-cvHX-Key: ***'"],
    [['-H', 'X-Key: a\nsecret'], "-H 'X-Key: ***'"],
    [['-HX-Key: a\nsecret'], "'-HX-Key: ***'"],
  ])('never repeats the value of a header: %j', (words, shown) => {
    expect(remedyCommand(['get', ...words, 'http://x/'], {})).toBe(
      `sallyport get ${shown} http://x/`,
    );
  });
});
