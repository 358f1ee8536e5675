// Runs on Windows: sets proxy settings and certificates as a user, an administrator and a policy would, and prints what the
// product reads after each. Everything goes into the registry of a Wine prefix of its own.
import { readFileSync } from 'node:fs';
import { NativeMemory, openLibrary, POINTER_BYTES, writePointer } from '../../../src/native/ffi.ts';
import { readSystemCertificates } from '../../../src/settings/system-certificates.ts';
import { readSystemProxy } from '../../../src/settings/system-proxy.ts';

const CURRENT_USER = 0xffffffff80000001n;
const LOCAL_MACHINE = 0xffffffff80000002n;
const INTERNET_SETTINGS = 'Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings';
const POLICY = 'Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings';
const [REG_SZ, REG_BINARY, REG_DWORD] = [1, 3, 4];

/** PEM files of one certificate each. */
const FILES = process.argv.slice(2);
const results: Record<string, unknown> = {};

async function main(): Promise<void> {
  const [company = '', disallowed = '', notForServers = '', inNoRootStore = ''] = FILES;
  setUser({ flags: 1 });
  results['nothing'] = await readSystemProxy();
  setUser({ flags: 3, proxy: 'proxy.corp.example:3128', bypass: '*.corp.example;10.*;<local>' });
  results['user'] = await readSystemProxy();
  setUser({ flags: 3, proxy: 'http=plain:8080;https=tls:8443;socks=socks:1080' });
  results['userByScheme'] = await readSystemProxy();
  setUser({ flags: 5, pac: 'http://wpad.corp.example/proxy.pac' });
  results['userPac'] = await readSystemProxy();
  setUser({ flags: 9 });
  results['userAutoDetect'] = await readSystemProxy();
  setWinHttp('machine:3128', 'intranet');
  results['winHttp'] = await readSystemProxy();
  setNumber(POLICY, 'ProxySettingsPerUser', 0);
  setNumber(INTERNET_SETTINGS, 'ProxyEnable', 1);
  setText(INTERNET_SETTINGS, 'ProxyServer', 'policy:3128');
  setText(INTERNET_SETTINGS, 'ProxyOverride', '<local>');
  results['policy'] = await readSystemProxy();

  // The company's shows that the others would be there, too, if it were for their place or use.
  addCertificate('ROOT', company);
  addCertificate('ROOT', disallowed);
  addCertificate('Disallowed', disallowed);
  addCertificate('ROOT', notForServers, true);
  addCertificate('CA', inNoRootStore);
  results['found'] = await findCertificates();
  process.stdout.write(JSON.stringify(results));
}

/** Which of the files are in what the product reads from the stores. */
async function findCertificates(): Promise<readonly boolean[]> {
  const { certificates, problem } = await readSystemCertificates();
  check(problem === undefined, String(problem));
  const found = new Set(certificates.map((pem) => derOf(pem).toString('hex')));
  return FILES.map((file) => found.has(derOf(readFileSync(file, 'latin1')).toString('hex')));
}

/** The blob Windows keeps the settings of a connection in; its flags: 1 direct, 2 proxy, 4 PAC, 8 automatic detection. */
function setUser(given: { flags: number; proxy?: string; bypass?: string; pac?: string }): void {
  const text = (value = ''): Buffer => {
    const bytes = Buffer.from(value, 'latin1');
    return Buffer.concat([dword(bytes.length), bytes]);
  };
  const blob = Buffer.concat([
    ...[dword(0x46), dword(1), dword(given.flags)],
    ...[text(given.proxy), text(given.bypass), text(given.pac)],
    Buffer.alloc(32),
  ]);
  setValue(
    CURRENT_USER,
    `${INTERNET_SETTINGS}\\Connections`,
    'DefaultConnectionSettings',
    REG_BINARY,
    blob,
  );
}

/** WinHttpSetDefaultProxyConfiguration, as `netsh winhttp set proxy` does. */
function setWinHttp(proxy: string, bypass: string): void {
  const set = openLibrary(['winhttp.dll']).require('WinHttpSetDefaultProxyConfiguration', 'i32', [
    'pointer',
  ]);
  const info = new NativeMemory(3 * POINTER_BYTES);
  info.bytes.writeUInt32LE(3, 0);
  writePointer(info.bytes, NativeMemory.utf16(proxy).address, POINTER_BYTES);
  writePointer(info.bytes, NativeMemory.utf16(bypass).address, 2 * POINTER_BYTES);
  check(set.call(info.address) !== 0, 'WinHttpSetDefaultProxyConfiguration');
}

function setNumber(key: string, name: string, value: number): void {
  setValue(LOCAL_MACHINE, key, name, REG_DWORD, dword(value));
}

function setText(key: string, name: string, value: string): void {
  setValue(LOCAL_MACHINE, key, name, REG_SZ, Buffer.from(`${value}\0`, 'utf16le'));
}

function setValue(root: bigint, key: string, name: string, type: number, data: Buffer): void {
  const set = openLibrary(['advapi32.dll']).require('RegSetKeyValueW', 'i32', [
    ...(['pointer', 'pointer', 'pointer', 'u32', 'pointer', 'u32'] as const),
  ]);
  const [keyText, nameText] = [NativeMemory.utf16(key), NativeMemory.utf16(name)];
  const memory = NativeMemory.of(data);
  const status = set.call(
    ...[root, keyText.address, nameText.address, type, memory.address, data.length],
  );
  check(status === 0, `RegSetKeyValueW ${name}: ${status}`);
}

/** @param withoutUse sets an empty list of uses as a property, as "disable all purposes" of Windows does */
function addCertificate(name: string, file: string, withoutUse = false): void {
  const crypt32 = openLibrary(['crypt32.dll']);
  const open = crypt32.require('CertOpenStore', 'pointer', [
    ...(['pointer', 'u32', 'pointer', 'u32', 'pointer'] as const),
  ]);
  const add = crypt32.require('CertAddEncodedCertificateToStore', 'i32', [
    ...(['pointer', 'u32', 'pointer', 'u32', 'u32', 'pointer'] as const),
  ]);
  const setUse = crypt32.require('CertSetEnhancedKeyUsage', 'i32', ['pointer', 'pointer']);
  const free = crypt32.require('CertFreeCertificateContext', 'i32', ['pointer']);
  const close = crypt32.require('CertCloseStore', 'i32', ['pointer', 'u32']);
  const localMachine = 2 << 16;
  const store = open.call(10n, 0, 0n, localMachine, NativeMemory.utf16(name).address);
  check(store !== 0n, `CertOpenStore ${name}`);
  const der = NativeMemory.of(derOf(readFileSync(file, 'latin1')));
  const context = new NativeMemory(POINTER_BYTES);
  check(
    add.call(store, 1, der.address, der.bytes.length, 3, context.address) !== 0,
    `CertAddEncodedCertificateToStore ${name}`,
  );
  const added = context.bytes.readBigUInt64LE(0);
  if (withoutUse) {
    const noUse = new NativeMemory(2 * POINTER_BYTES);
    check(setUse.call(added, noUse.address) !== 0, 'CertSetEnhancedKeyUsage');
  }
  // A store is written when the last that belongs to it is freed.
  free.call(added);
  close.call(store, 0);
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]*-----|\s/g, ''), 'base64');
}

function dword(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function check(isFine: boolean, what: string): void {
  if (!isFine) {
    throw new Error(`${what} failed`);
  }
}

await main();
