// Run by check-installed.sh in a folder where only the packed package is installed: one download through NTLM by
// `npx sallyport get`, and one through the library.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { request } from 'sallyport';
import { createCorporateProxy, createOrigin, originBytes } from 'sallyport/testing';

const user = { name: 'alice', domain: 'CORP', password: 'Alice-Secret1' };
const proxy = await createCorporateProxy({ schemes: ['Negotiate', 'NTLM'], users: [user] });
const origin = await createOrigin();
const url = `${origin.url}/bytes/100000`;
try {
  const { stdout } = await promisify(execFile)(
    'npx',
    ['--no-install', 'sallyport', 'get', '--proxy', proxy.url, '--user', 'CORP\\alice', url],
    { env: { ...process.env, SALLYPORT_PASSWORD: user.password }, encoding: 'buffer' },
  );
  assert.ok(originBytes(100_000).equals(stdout));
  const options = { proxy: proxy.url, user: 'CORP\\alice', password: user.password };
  const { status, body } = await request(url, options);
  const pieces = await body.toArray();
  assert.deepEqual([status, Buffer.concat(pieces).length], [200, 100_000]);
  assert.equal(proxy.counts().finalLegs['CORP\\alice'], 2);
} finally {
  await Promise.all([proxy.close(), origin.close()]);
}
process.stdout.write('installed package: npx sallyport get and request() through NTLM: ok\n');
