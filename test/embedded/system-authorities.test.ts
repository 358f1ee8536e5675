// The system's store of certificate authorities, as a bundle SSL_CERT_FILE names: the company's authority is in it, and
// nobody named it to Sallyport.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CorporateProxy, Origin } from '../../src/testing/index.ts';
import {
  createCorporateProxy,
  createOrigin,
  createTestCertificates,
} from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { SCRATCH } from './network.ts';

/** What an inspecting proxy shows instead of the web server's own. */
const COMPANY = createTestCertificates();
const ODD = '-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n';
const BUNDLE = join(SCRATCH, 'bundle.pem');
const OTHERS = join(SCRATCH, 'others.pem');
const COMPANY_FILE = join(SCRATCH, 'company.pem');
const FOR_ALL = { SALLYPORT_CA: '', SSL_CERT_FILE: BUNDLE };

let proxy: CorporateProxy;
let tlsProxy: CorporateProxy;
let origin: Origin;

beforeAll(async () => {
  writeFileSync(BUNDLE, `${rootCertificates[0]}\n${ODD}${COMPANY.ca}`);
  writeFileSync(COMPANY_FILE, COMPANY.ca);
  writeFileSync(OTHERS, rootCertificates[0] ?? '');
  origin = await createOrigin({ tls: COMPANY });
  proxy = await createCorporateProxy({ schemes: [], users: [] });
  tlsProxy = await createCorporateProxy({ schemes: [], users: [], tls: COMPANY });
});

afterAll(async () => {
  await Promise.all([proxy.close(), tlsProxy.close(), origin.close()]);
});

const get = (env: Record<string, string>, ...args: string[]) =>
  sallyport(['get', '--proxy', proxy.url, ...args, `${origin.url}/bytes/10`], { env });

describe('sallyport get', () => {
  it('trusts a company’s authority that is in the system’s store, odd neighbours or not', async () => {
    const { code, stdout, stderr } = await get(FOR_ALL);
    expect({ code, stderr, bytes: stdout.length }).toEqual({ code: 0, stderr: '', bytes: 10 });
  });

  it('trusts it for the proxy itself, too', async () => {
    const { code } = await sallyport(['get', '--proxy', tlsProxy.url, `${origin.url}/bytes/10`], {
      env: FOR_ALL,
    });
    expect(code).toBe(0);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['--no-system-ca', FOR_ALL, ['--no-system-ca']],
    ['SALLYPORT_SYSTEM_CA=0', { ...FOR_ALL, SALLYPORT_SYSTEM_CA: '0' }, []],
  ])('does not with %s, and says what to do', async (_, env, args) => {
    const { code, stdout, stderr } = await get(env, '--json', '-o', join(SCRATCH, 'x'), ...args);
    expect(code).toBe(6);
    expect(stdout.toString()).toContain('"TLS_FAILED"');
    expect(stderr).toMatch(/turned off here \(--no-system-ca\).*--ca FILE/s);
  });

  it('names the store that does not know the authority, and --ca', async () => {
    const { code, stderr } = await get({ ...FOR_ALL, SSL_CERT_FILE: OTHERS });
    expect(code).toBe(6);
    expect(stderr).toContain(`known neither to Node nor to ${OTHERS}`);
    expect(stderr).toContain('--ca FILE');
  });

  it('trusts --ca beside the store', async () => {
    const { code } = await get({ SALLYPORT_CA: '', SSL_CERT_FILE: OTHERS }, '--ca', COMPANY_FILE);
    expect(code).toBe(0);
  });

  it('works without a store', async () => {
    const missing = join(SCRATCH, 'missing.pem');
    const { code, stderr } = await get({ ...FOR_ALL, SSL_CERT_FILE: missing });
    expect(code).toBe(6);
    expect(stderr).toContain(`${missing} could not be asked: it cannot be read (ENOENT)`);
  });
});
