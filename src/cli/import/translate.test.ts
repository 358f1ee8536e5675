// What of files of cntlm and px is taken over, and what is said of the rest.
import { describe, expect, it } from 'vitest';
import type { ForeignProgram } from './foreign-file.ts';
import { MAX_FOREIGN_BYTES, readForeignFile } from './foreign-file.ts';
import { translate } from './translate.ts';

function imported(program: ForeignProgram, text: string) {
  return translate('/x/file', program, readForeignFile('/x/file', program, Buffer.from(text)));
}

const CNTLM = `# Cntlm Authentication Proxy Configuration
Username\talice
Domain\t\tCORP
Password\t"hunter;2 #x"
PassNTLMv2      D5826E9C665C37C80B53397D5C07BBCB   # only for alice
Workstation pc17
Proxy\t\t10.0.0.41:8080
Proxy		proxy2.corp.example:8080
NoProxy\t\tlocalhost, 127.0.0.*, 10.*, *.corp.example, www.*.example, 10.0.0.1-10.0.0.9
Listen\t\t127.0.0.1:3127
Listen 3128
SOCKS5User dave:hunter3
Gateway yes
Tunnel 11443:remote.example:443
`;

const PX = `[proxy]
server = proxy.corp.example:8080, proxy2.corp.example:8080
pac =
port = 3130
listen = 127.0.0.1
noproxy = 192.168.*.*,172.16.0.0/12,intranet
username = CORP\\alice
auth = NTLM

[client]
client_password = hunter4
[settings]
workers = 2
`;

describe('translate()', () => {
  it('takes over what cntlm has in common', () => {
    expect(imported('cntlm', CNTLM).configuration).toEqual({
      proxy: 'http://10.0.0.41:8080',
      user: 'CORP\\alice',
      noProxy: ['localhost', '127.0.0.0/24', '10.0.0.0/8', '*.corp.example'],
      serve: { listen: '3127' },
    });
  });

  it('takes over what px has in common', () => {
    expect(imported('px', PX).configuration).toEqual({
      proxy: 'http://proxy.corp.example:8080',
      user: 'CORP\\alice',
      noProxy: ['192.168.0.0/16', '172.16.0.0/12', 'intranet'],
      auth: ['ntlm'],
      serve: { listen: '3130' },
    });
  });

  it('has a row for each line, and a reason for each that was not taken', () => {
    const { rows } = imported('cntlm', CNTLM);
    expect(rows.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    expect(rows.filter(({ keys, note }) => keys.length === 0 && note === '')).toEqual([]);
    const noProxy = rows.find(({ name }) => name === 'NoProxy');
    expect(noProxy?.note).toContain('www.*.example 10.0.0.1-10.0.0.9');
  });

  it.each([
    ['cntlm', CNTLM, /hunter|D5826E/],
    ['px', PX, /hunter/],
  ] as const)('never takes or repeats a password or a hash of %s', (program, text, secret) => {
    const { rows, configuration } = imported(program, text);
    expect(JSON.stringify([rows, configuration])).not.toMatch(secret);
    const secrets = rows.filter(({ name }) => /pass|socks5user/i.test(name));
    expect(secrets.map(({ keys }) => keys)).toEqual(secrets.map(() => []));
    expect(secrets.map(({ note }) => note).join()).toContain('sallyport login');
  });

  it('does not open the port to other machines', () => {
    const { rows, configuration } = imported('cntlm', 'Proxy p:1\nListen 0.0.0.0:3128\n');
    expect(configuration.serve).toBeUndefined();
    expect(rows[1]?.note).toContain('other machines');
  });

  it.each(['Proxy p:99999', 'Proxy alice:hunter2@p:8080', 'Listen 0', 'Listen 127.0.0.1:70000'])(
    'refuses %s, naming the line and not the value',
    (line) => {
      const attempt = () => imported('cntlm', `# first\n${line}\n`);
      expect(attempt).toThrow(/\/x\/file:2/);
      expect(attempt).not.toThrow(/hunter2/);
    },
  );
});

describe('readForeignFile()', () => {
  it.each([
    ['cntlm', 'Username'],
    ['cntlm', 'Username = "alice'],
    ['cntlm', 'Username a\0b'],
    ['px', 'server proxy:8080'],
    ['px', `server = ${'x'.repeat(5_000)}`],
    ['px', '\n'.repeat(6_000)],
  ] as const)('refuses what is no line of %s', (program, text) => {
    const attempt = () => readForeignFile('/x/file', program, Buffer.from(text));
    expect(attempt).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(attempt).not.toThrow(/alice/);
  });

  it('is quick with the worst lines the limits let in', () => {
    const line = `A ${' '.repeat(2_000)}"${'#'.repeat(2_000)}`;
    const started = process.cpuUsage();
    const lines = Math.floor(MAX_FOREIGN_BYTES / line.length);
    expect(() =>
      readForeignFile('/x/file', 'cntlm', Buffer.from(`${'A b\n'.repeat(lines)}${line}`)),
    ).toThrow(/no line of cntlm/);
    expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
  });
});
