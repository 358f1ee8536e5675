import { describe, expect, it } from 'vitest';
import { withCallersVariables } from './callers-variables.ts';

describe('withCallersVariables()', () => {
  it('gives the programs that are started their variables back', () => {
    const env = { A: '1', SALLYPORT_CALLER_NODE_OPTIONS: '--no-warnings', NODE_PATH: '/mine' };
    expect(withCallersVariables(env)).toEqual({
      A: '1',
      NODE_OPTIONS: '--no-warnings',
      NODE_PATH: '/mine',
    });
    expect(env).toHaveProperty('SALLYPORT_CALLER_NODE_OPTIONS');
  });

  it('changes nothing where no launcher was', () => {
    expect(withCallersVariables({ NODE_OPTIONS: '--trace-warnings' })).toEqual({
      NODE_OPTIONS: '--trace-warnings',
    });
  });
});
