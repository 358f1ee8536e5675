// What goes wrong with Kerberos, provoked for real against the lab's KDC, by MIT and by Heimdal: each failure has a code
// of its own. And a KDC that does not answer: the call waits, the event loop does not.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContextRequest, ExplicitCredentials } from '../../src/native/security-context.ts';
import { ensureLab, LAB } from './lab.ts';
import { RemoteGssapi } from './remote-gssapi.ts';
import { closedPort, krb5Config, silentKdc } from './silent-kdc.ts';

const lab = await ensureLab();
const { users, environment } = LAB;
const SCRATCH = mkdtempSync(join(tmpdir(), 'sallyport-gssapi-'));
const CACHES = {
  none: join(SCRATCH, 'cc_none'),
  /** Only the ticket-granting ticket: every service name is asked for. */
  fresh: join(SCRATCH, 'cc_fresh'),
  expired: join(SCRATCH, 'cc_expired'),
  skewed: join(SCRATCH, 'cc_skewed'),
};
const LIBRARIES = { MIT: 'libgssapi_krb5.so.2', Heimdal: 'libgssapi.so.3' } as const;
const FLAVOURS = ['MIT', 'Heimdal'] as const;

const REQUEST: ContextRequest = {
  package: 'negotiate',
  spn: 'HTTP/proxy.corp.example',
  credentials: null,
  channelBindings: null,
  allowNtlm: false,
  mutual: true,
  delegate: false,
};

interface Failure {
  readonly what: string;
  readonly code: string;
  /** Of the library, in its symbol; Heimdal keeps it to itself where there are no credentials. */
  readonly symbol?: string;
  readonly cache?: keyof typeof CACHES;
  readonly spn?: string;
  readonly user?: { readonly name: string; readonly password: string };
}

const FAILURES: readonly Failure[] = [
  { what: 'no ticket', code: 'TICKET_MISSING', cache: 'none' },
  { what: 'an old ticket', code: 'TICKET_EXPIRED', cache: 'expired' },
  {
    what: 'a service nobody knows',
    code: 'SPN_UNKNOWN',
    symbol: 'KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN',
    spn: 'HTTP/nowhere.corp.example',
  },
  {
    what: 'a clock an hour off',
    code: 'CLOCK_SKEW',
    symbol: 'KRB5KRB_AP_ERR_SKEW',
    cache: 'skewed',
  },
  {
    what: 'a disabled account',
    code: 'ACCOUNT_DISABLED',
    symbol: 'KRB5KDC_ERR_CLIENT_REVOKED',
    user: users.carol,
  },
  {
    what: 'a password to be changed',
    code: 'PASSWORD_EXPIRED',
    symbol: 'KRB5KDC_ERR_KEY_EXP',
    user: users.dave,
  },
  {
    what: 'a wrong password',
    code: 'CREDENTIALS_REFUSED',
    symbol: 'KRB5KDC_ERR_PREAUTH_FAILED',
    user: { ...users.bob, password: 'Wrong-Secret1' },
  },
  {
    what: 'a name the domain does not know',
    code: 'SIGN_ON_MISSING',
    symbol: 'KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN',
    user: { name: 'nobody-here', password: 'Wrong-Secret1' },
  },
];

beforeAll(async () => {
  if (lab.available) {
    kinit(CACHES.fresh);
    kinit(CACHES.expired, '-l', '1s');
    writeSkewedCache();
    await sleep(1_500);
  }
});
afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }));

describe.skipIf(!lab.available)('a failure of Kerberos', () => {
  const ROWS = FLAVOURS.flatMap((flavour) => FAILURES.map((row) => ({ flavour, ...row })));

  it.each(ROWS)('$flavour says $code when there is $what', async (row) => {
    const error = await failureOf(row.flavour, row.cache ?? 'fresh', {
      ...REQUEST,
      spn: row.spn ?? 'HTTP/localhost',
      credentials: row.user === undefined ? null : inCorp(row.user),
    });
    expect(error).toMatchObject({
      code: row.code,
      hint: expect.stringMatching(/\.$/u),
      native: { api: 'GSSAPI', symbol: expect.stringContaining(row.symbol ?? 'GSS_S_') },
    });
    if (row.flavour === 'MIT') {
      // The library's own words stand behind our sentence.
      expect(error.message).toMatch(/ \(.+\)$/u);
    }
  });

  it.each(FLAVOURS)('%s says KDC_UNREACHABLE when nobody listens there', async (flavour) => {
    const KRB5_CONFIG = krb5Config(SCRATCH, await closedPort());
    const error = await failureOf(
      flavour,
      'fresh',
      { ...REQUEST, spn: 'HTTP/localhost' },
      { KRB5_CONFIG },
    );
    expect(error).toMatchObject({
      code: 'KDC_UNREACHABLE',
      native: { symbol: 'GSS_S_FAILURE KRB5_KDC_UNREACH' },
    });
  });

  it.each(FLAVOURS)(
    '%s says SIGN_ON_MISSING when no realm is known, and asks nobody',
    async (flavour) => {
      const empty = join(SCRATCH, 'krb5-empty.conf');
      writeFileSync(empty, '[libdefaults]\ndns_lookup_kdc = false\n');
      const realmless = { KRB5_CONFIG: empty };
      const stranger = { user: 'alice', domain: 'OTHER', password: users.alice.password };
      for (const credentials of [stranger, { ...stranger, domain: 'CORP' }]) {
        const error = await failureOf(flavour, 'none', { ...REQUEST, credentials }, realmless);
        expect(error).toMatchObject({ code: 'SIGN_ON_MISSING', native: undefined });
      }
      const elsewhere = await failureOf(flavour, 'none', { ...REQUEST, credentials: stranger });
      expect(elsewhere).toMatchObject({ code: 'SIGN_ON_MISSING', native: undefined });
    },
  );

  it('MIT says SIGN_ON_MISSING when there is neither ticket nor realm', async () => {
    const empty = join(SCRATCH, 'krb5-empty.conf');
    writeFileSync(empty, '[libdefaults]\n');
    const error = await failureOf('MIT', 'none', REQUEST, { KRB5_CONFIG: empty });
    expect(error).toMatchObject({ code: 'SIGN_ON_MISSING' });
  });
});

describe.skipIf(!lab.available)('a KDC that does not answer', () => {
  it('holds up the call and not the event loop', async () => {
    await using kdc = await silentKdc();
    const KRB5_CONFIG = krb5Config(SCRATCH, kdc.port);
    // Heimdal can be told to give up soon, MIT cannot.
    writeFileSync(
      KRB5_CONFIG,
      readFileSync(KRB5_CONFIG, 'utf8').replace(
        '[libdefaults]',
        '[libdefaults]\nkdc_timeout = 1\nmax_retries = 1',
      ),
    );
    const remote = new RemoteGssapi(LIBRARIES.Heimdal, {
      KRB5_CONFIG,
      KRB5CCNAME: `FILE:${CACHES.fresh}`,
    });
    await remote.createContext({ ...REQUEST, spn: 'HTTP/localhost' });
    const rest = await remote.ask('timedRest');
    const call = await remote.ask('timedStep');
    expect(call.outcome).toBe('KDC_UNREACHABLE');
    expect(call.waitedMs).toBeGreaterThan(2_000);
    expect(rest.heldUpMs).toBeLessThan(1_000);
    expect(call.heldUpMs).toBeLessThan(1_000);
    expect(await remote.close()).toBe(0);
  });
});

async function failureOf(
  flavour: keyof typeof LIBRARIES,
  cache: keyof typeof CACHES,
  request: ContextRequest,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly message: string }> {
  const env = { KRB5CCNAME: `FILE:${CACHES[cache]}`, ...more };
  const remote = new RemoteGssapi(LIBRARIES[flavour], env);
  try {
    const context = await remote.createContext(request);
    return await context.step(null).then(
      () => expect.fail('it made a token'),
      (error: Error) => error,
    );
  } finally {
    expect(await remote.close()).toBe(0);
  }
}

function inCorp({ name, password }: NonNullable<Failure['user']>): ExplicitCredentials {
  return { user: name, domain: 'CORP', password };
}

function kinit(cache: string, ...words: readonly string[]): void {
  execFileSync('kinit', ['-c', cache, ...words, users.alice.name], {
    env: { ...process.env, ...environment },
    input: `${users.alice.password}\n`,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}

/** A cache that says the KDC's clock is an hour ahead: its first tag is the offset in seconds (krb5's ccache format 4). */
function writeSkewedCache(): void {
  const cache = readFileSync(CACHES.fresh);
  cache.writeInt32BE(3_600, 8);
  writeFileSync(CACHES.skewed, cache, { mode: 0o600 });
}
