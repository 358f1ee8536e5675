import { describe, expect, it } from 'vitest';
import { refuseServiceAccount } from './service-account.ts';

describe('refuseServiceAccount()', () => {
  it.each(['S-1-5-18', 'S-1-5-19', 'S-1-5-20', 'S-1-5-80-1-2-3', 'S-1-5-82-7'])(
    'refuses %s, with the reason',
    (user) => {
      expect(() => refuseServiceAccount(user)).toThrow(
        expect.objectContaining({
          code: 'SERVICE_ACCOUNT',
          message: expect.stringContaining('as the machine, not as a user'),
        }),
      );
    },
  );

  it.each(['S-1-5-21-1-2-3-1001', 'S-1-5-180', 'S-1-12-1-1-2-3-4', '0', '1000', null])(
    'lets %s be',
    (user) => {
      expect(() => refuseServiceAccount(user)).not.toThrow();
    },
  );
});
