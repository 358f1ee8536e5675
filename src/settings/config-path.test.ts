import { describe, expect, it } from 'vitest';
import { findDefaultConfigPath } from './config-path.ts';

describe('findDefaultConfigPath()', () => {
  it.each<[NodeJS.Platform, NodeJS.ProcessEnv, string | undefined]>([
    ['linux', { HOME: '/home/a' }, '/home/a/.config/sallyport/config.json'],
    ['linux', { HOME: '/home/a', XDG_CONFIG_HOME: '/x' }, '/x/sallyport/config.json'],
    ['linux', { XDG_CONFIG_HOME: '/x' }, '/x/sallyport/config.json'],
    [
      'linux',
      { HOME: '/home/a', XDG_CONFIG_HOME: 'relative' },
      '/home/a/.config/sallyport/config.json',
    ],
    ['linux', { HOME: '/home/a', XDG_CONFIG_HOME: '' }, '/home/a/.config/sallyport/config.json'],
    ['linux', {}, undefined],
    ['linux', { HOME: '' }, undefined],
    [
      'darwin',
      { HOME: '/Users/a', XDG_CONFIG_HOME: '/x' },
      '/Users/a/Library/Application Support/Sallyport/config.json',
    ],
    ['darwin', {}, undefined],
    [
      'win32',
      { APPDATA: 'C:\\Users\\a\\AppData\\Roaming', HOME: '/home/a' },
      'C:\\Users\\a\\AppData\\Roaming\\Sallyport\\config.json',
    ],
    ['win32', { HOME: '/home/a' }, undefined],
  ])('on %s with %j: %s', (platform, env, expected) => {
    expect(findDefaultConfigPath(env, platform)).toBe(expected);
  });
});
