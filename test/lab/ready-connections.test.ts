// Connections signed on ahead at real proxies: what squid and apache answer to our own request, and that a CONNECT on such a
// connection takes one round trip.
import { describe, expect, it } from 'vitest';
import { runModule } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const { proxies, origins, users, environment } = LAB;
const { typed: user, password } = users.alice;
const NTLM = { user, password };
const TICKET = { spn: `HTTP/${proxies.kerberos.host}`, auth: 'negotiate' };
const COUNT = 4;

const ROWS = [
  { proxy: 'ntlm', by: 'password', options: NTLM },
  { proxy: 'ntlmFew', by: 'password', options: NTLM },
  { proxy: 'ntlmClose', by: 'password', options: NTLM },
  { proxy: 'spnego', by: 'password', options: NTLM },
  { proxy: 'apache', by: 'password', options: NTLM },
  { proxy: 'kerberos', by: 'ticket', options: TICKET },
  { proxy: 'negotiate', by: 'ticket', options: TICKET },
  { proxy: 'apache', by: 'ticket', options: { auth: 'negotiate' } },
] as const;

/** Some tunnels at once, as many made ahead, and as many tunnels again. */
const SCRIPT = `
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as wait } from 'node:timers/promises';
const [target, options, count] = JSON.parse(process.env.TASK);
let made = 0;
subscribe('sallyport:ready', ({ action }) => { made += action === 'made' ? 1 : 0; });
const upstream = await createUpstream({ ...options, warm: 8 });
const burst = () => Promise.all(Array.from({ length: count }, async () => {
  const { status, legs, connections, socket } = await upstream.connect(target);
  socket.on('error', () => undefined).destroy();
  return [status, legs, connections].join(' ');
}));
await burst();
for (let turn = 0; made < count && turn < 500; turn += 1) { await wait(20); }
console.log(JSON.stringify({ made, second: await burst() }));
await upstream.close();
`;

describe.skipIf(!lab.available)('connections signed on ahead', () => {
  it.each(ROWS)('at $proxy, by $by', { timeout: 30_000 }, async ({ proxy, options }) => {
    const task = [new URL(origins.http).host, { proxy: proxies[proxy].url, ...options }, COUNT];
    const { code, stdout, stderr } = await runModule(SCRIPT, {
      ...environment,
      TASK: JSON.stringify(task),
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      made: COUNT,
      second: Array.from({ length: COUNT }, () => '200 1 0'),
    });
  });
});
