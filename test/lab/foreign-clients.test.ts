// Other people's clients against the acceptors of our tests: curl, gss-ntlmssp and Samba's ntlm_auth are accepted, each
// under its right name. What judges our initiators is thus judged itself.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CorporateProxy, Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { GssapiAcceptor } from '../acceptors/gssapi-acceptor.ts';
import { sallyport } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const { alice } = LAB.users;
const ALICE = { name: alice.name, domain: alice.domain, password: alice.password };
const MIT = 'libgssapi_krb5.so.2';
const NO_TICKET = { ...LAB.environment, KRB5CCNAME: 'FILE:/nonexistent' };

describe.skipIf(!lab.available)('our NTLM acceptor takes', () => {
  let proxy: CorporateProxy;
  let origin: Origin;

  beforeAll(async () => {
    // curl and ntlm_auth send no channel binding and no service name.
    proxy = await createCorporateProxy({
      ...{ schemes: ['Negotiate', 'NTLM'], users: [ALICE], strict: false },
    });
    origin = await createOrigin();
  });
  afterAll(() => Promise.all([proxy.close(), origin.close()]));

  const lastUser = () => proxy.log.filter(({ status }) => status === 200).at(-1)?.user;

  it('curl --proxy-ntlm', async () => {
    const user = `${alice.typed}:${alice.password}`;
    expect(await curl(proxy.url, `${origin.url}/bytes/5`, ['--proxy-ntlm', '-U', user])).toMatch(
      /^200/,
    );
    expect(lastUser()).toBe(alice.typed);
  });

  it.each(['ntlm', 'negotiate'] as const)('gss-ntlmssp, by way of --auth %s', async (auth) => {
    const { code } = await sallyport(
      ['get', '--proxy', proxy.url, '--auth', auth, `${origin.url}/bytes/5`],
      { ...NO_TICKET, NTLMUSER: alice.name },
    );
    expect([code, lastUser()]).toEqual([0, alice.typed]);
  });

  it.each([
    ['right', alice.password, 200],
    ['wrong', 'x', 407],
  ] as const)('ntlm_auth with the %s password: %s', async (_which, password, wanted) => {
    const helper = spawn('ntlm_auth', [
      ...['--helper-protocol=ntlmssp-client-1', `--username=${alice.name}`],
      ...[`--domain=${alice.domain}`, `--password=${password}`],
    ]);
    const answers = createInterface(helper.stdout)[Symbol.asyncIterator]();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const negotiate = await ask(helper, answers, 'YR');
      const challenge = await through(agent, proxy, origin, `NTLM ${negotiate}`);
      const token = /^NTLM (\S+)/.exec(challenge.headers['proxy-authenticate'] ?? '')?.[1];
      const last = await ask(helper, answers, `TT ${token}`);
      const { statusCode } = await through(agent, proxy, origin, `NTLM ${last}`);
      expect([challenge.statusCode, statusCode]).toEqual([407, wanted]);
      if (wanted === 200) {
        expect(lastUser()).toBe(alice.typed);
      }
    } finally {
      agent.destroy();
      helper.stdin.end();
      await once(helper, 'close');
    }
  });
});

describe.skipIf(!lab.available)('the GSSAPI acceptor takes', () => {
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = negotiatingServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const keys = () => {
    vi.stubEnv('KRB5_CONFIG', LAB.environment.KRB5_CONFIG);
    vi.stubEnv('KRB5_KTNAME', `FILE:${join(LAB.directory, 'krb/http.keytab')}`);
    vi.stubEnv('KRB5RCACHENAME', 'none:');
    vi.stubEnv('NTLM_USER_FILE', join(LAB.directory, 'krb/ntlm_user_file'));
  };

  it('curl --proxy-negotiate with a ticket', async () => {
    keys();
    const text = await curl(
      url,
      'http://origin.example/',
      ['--proxy-negotiate', '-U', ':'],
      LAB.environment,
    );
    expect(text).toBe('200 alice@CORP.EXAMPLE');
  });

  it('the delegated ticket of a web server that may have it, and of nobody else', async () => {
    keys();
    const page = [`${url}/`, '--proxy', 'direct', '--trusted', '127.0.0.1'];
    const plain = await sallyport(['get', ...page], LAB.environment);
    const delegated = await sallyport(['get', ...page, '--delegate', '127.0.0.1'], LAB.environment);
    const proxied = ['--proxy', url, '--delegate', '127.0.0.1', 'http://origin.example/'];
    const proxy = await sallyport(['get', ...proxied], LAB.environment);
    expect([plain, delegated, proxy].map(({ stdout }) => stdout)).toEqual([
      'alice@CORP.EXAMPLE',
      'alice@CORP.EXAMPLE, delegated',
      'alice@CORP.EXAMPLE',
    ]);
  });

  it('sallyport get with a ticket, and without one by gss-ntlmssp', async () => {
    keys();
    const args = ['get', '--proxy', url, 'http://origin.example/'];
    const ticket = await sallyport(args, LAB.environment);
    const ntlm = await sallyport(args, { ...NO_TICKET, NTLMUSER: alice.name });
    expect([ticket.stderr, ticket.stdout]).toEqual(['', 'alice@CORP.EXAMPLE']);
    expect([ntlm.stderr, ntlm.stdout]).toEqual(['', alice.typed]);
  });
});

/** Answers with the name of whoever signed on: the smallest proxy that can, or a web server where it is asked for a path. */
function negotiatingServer(): Server {
  const acceptors = new WeakMap<Socket, GssapiAcceptor>();
  return createServer((incoming, answer) => {
    const isOrigin = incoming.url?.startsWith('/') === true;
    const [status, name] = isOrigin ? [401, 'WWW-Authenticate'] : [407, 'Proxy-Authenticate'];
    const sent = incoming.headers[isOrigin ? 'authorization' : 'proxy-authorization'];
    const token = /^Negotiate (\S+)/.exec(sent ?? '')?.[1];
    if (token === undefined) {
      answer.writeHead(status, { [name]: 'Negotiate' }).end();
      return;
    }
    const acceptor = acceptors.get(incoming.socket) ?? new GssapiAcceptor(MIT, null);
    acceptors.set(incoming.socket, acceptor);
    const step = acceptor.accept(Buffer.from(token, 'base64'));
    const reply = step.token === null ? '' : ` ${Buffer.from(step.token).toString('base64')}`;
    answer.writeHead(step.done ? 200 : status, { [name]: `Negotiate${reply}` });
    answer.end(step.done ? `${step.initiator}${step.delegated ? ', delegated' : ''}` : '');
    if (step.done) {
      acceptor[Symbol.dispose]();
      acceptors.delete(incoming.socket);
    }
  });
}

/** Status and body. */
async function curl(
  proxy: string,
  url: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const format = ['-s', '--max-time', '20', '--noproxy', '', '-w', '\n%{http_code}'];
  const { stdout } = await promisify(execFile)('curl', [...format, '-x', proxy, ...args, url], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'latin1',
  });
  const lines = stdout.split('\n');
  return `${lines.at(-1)} ${lines.slice(0, -1).join('\n')}`;
}

/** One question of the helper protocol; its answer without the leading word (ntlm_auth(1)). */
async function ask(
  helper: ChildProcessWithoutNullStreams,
  answers: AsyncIterator<string>,
  question: string,
): Promise<string> {
  helper.stdin.write(`${question}\n`);
  const { value } = await answers.next();
  return String(value).replace(/^\S+ /, '');
}

async function through(
  agent: Agent,
  proxy: CorporateProxy,
  origin: Origin,
  credentials: string,
): Promise<IncomingMessage> {
  const outgoing = request({
    ...{ agent, host: proxy.host, port: proxy.port, path: `${origin.url}/bytes/5` },
    headers: { 'Proxy-Authorization': credentials },
  }).end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return answer;
}
