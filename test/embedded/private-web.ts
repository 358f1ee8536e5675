// A web server of a company: https on an address that is not this machine's usual one, so that no NO_PROXY has it, with a
// certificate of the company's own authority. Serves a folder, and an echo to whoever upgrades.
import 'reflect-metadata';
import { once } from 'node:events';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join, normalize } from 'node:path';
import * as x509 from '@peculiar/x509';

/** Linux has all of 127.0.0.0/8, others must be told. */
const HOST = '127.0.0.2';
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface PrivateAuthority {
  /** PEM, all of them. */
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

export interface PrivateWeb extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
}

/** An authority and a certificate of it for `HOST`, as a company has them: not the one that signs itself. */
export async function createPrivateAuthority(): Promise<PrivateAuthority> {
  const { subtle } = globalThis.crypto;
  const newKeys = () => subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const dates = { notBefore: new Date(Date.now() - 3_600_000), notAfter: tomorrow() };
  const [caKeys, keys] = [await newKeys(), await newKeys()];
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...dates,
    serialNumber: '01',
    name: 'CN=Company test authority',
    keys: caKeys,
    signingAlgorithm: ECDSA,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    ...dates,
    serialNumber: '02',
    subject: `CN=${HOST}`,
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: ECDSA,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'ip', value: HOST },
        // What npm looks for in a tunnel to an address without a name.
        { type: 'dns', value: 'localhost' },
      ]),
      new x509.BasicConstraintsExtension(false),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const pkcs8 = Buffer.from(await subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    ca: `${authority.toString('pem')}\n`,
    cert: leaf.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
  };
}

/**
 * @param folder what is served; `index.html` stands for its folder
 * @param address where it listens
 */
export async function createPrivateWeb(
  folder: string,
  { key, cert }: Pick<PrivateAuthority, 'key' | 'cert'>,
  address = HOST,
): Promise<PrivateWeb> {
  const server = createServer({ key, cert }, serveFolder(folder));
  // A WebSocket as far as a proxy can tell: what comes goes back.
  server.on('upgrade', (_request, socket: Socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    socket.on('error', () => undefined).pipe(socket);
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  server.listen(0, address);
  await once(server, 'listening');
  const host = `${address}:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `https://${host}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) {
        socket.destroy();
      }
      await once(server, 'close');
    },
  };
}

/** `index.html` stands for its folder. */
export function serveFolder(folder: string): RequestListener {
  return (request, response) => {
    const path = normalize(decodeURIComponent(new URL(`http://x${request.url}`).pathname));
    const file = fileOf(join(folder, path));
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = file.endsWith('.html') ? 'text/html' : 'application/octet-stream';
    response.writeHead(200, { 'content-type': file.endsWith('.json') ? 'application/json' : type });
    createReadStream(file).pipe(response);
  };
}

function fileOf(path: string): string | undefined {
  if (!existsSync(path)) {
    return undefined;
  }
  if (!statSync(path).isDirectory()) {
    return path;
  }
  const index = readdirSync(path).find((name) => name.startsWith('index.'));
  return index === undefined ? undefined : join(path, index);
}

function tomorrow(): Date {
  return new Date(Date.now() + 86_400_000);
}
