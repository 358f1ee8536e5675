import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from './secret.ts';

describe('Secret', () => {
  const secret = new Secret('Pä55wörd');

  it('gives its value to reveal() alone', () => {
    expect(secret.reveal()).toBe('Pä55wörd');
  });

  it.each([
    ['a template', () => `${secret}`],
    ['JSON', () => JSON.stringify({ secret })],
    ['inspect', () => inspect({ secret }, { showHidden: true, depth: 5 })],
    ['its entries', () => inspect(Object.entries(secret))],
  ])('does not show it in %s', (_way, show) => {
    expect(show()).not.toContain('Pä55');
  });
});
