import { describe, expect, it } from 'vitest';
import { findStatePlace } from './state-path.ts';

const place = (folder: string, within: string) => ({ folder, within });

describe('findStatePlace()', () => {
  it.each<[NodeJS.Platform, NodeJS.ProcessEnv, ReturnType<typeof findStatePlace>]>([
    ['linux', { HOME: '/home/a' }, place('/home/a/.local/state/sallyport', '/home/a')],
    ['linux', { HOME: '/home/a', XDG_STATE_HOME: '/x/s' }, place('/x/s/sallyport', '/x')],
    [
      'linux',
      { HOME: '/home/a', XDG_STATE_HOME: 'relative' },
      place('/home/a/.local/state/sallyport', '/home/a'),
    ],
    ['linux', { HOME: '/home/a', SALLYPORT_STATE_DIR: '/y/z' }, place('/y/z', '/y')],
    ['linux', {}, undefined],
    ['linux', { HOME: '' }, undefined],
    ['linux', { HOME: 'relative' }, undefined],
    [
      'darwin',
      { HOME: '/Users/a', XDG_STATE_HOME: '/x' },
      place('/Users/a/Library/Application Support/Sallyport', '/Users/a'),
    ],
    ['darwin', {}, undefined],
    [
      'win32',
      { LOCALAPPDATA: 'C:\\Users\\a\\AppData\\Local', APPDATA: 'C:\\roaming', HOME: '/home/a' },
      place('C:\\Users\\a\\AppData\\Local\\Sallyport', 'C:\\Users\\a\\AppData\\Local'),
    ],
    ['win32', { SALLYPORT_STATE_DIR: 'D:\\state' }, place('D:\\state', 'D:\\')],
    ['win32', { APPDATA: 'C:\\roaming', HOME: '/home/a' }, undefined],
  ])('on %s with %j: %j', (platform, env, expected) => {
    expect(findStatePlace(env, platform)).toEqual(expected);
  });
});
