// The certificate authorities TLS trusts: Node's, the operating system's, and those of named files. Owns their gathering
// at the first TLS connection, and the checking of the file the user names.
import { createHash, X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { createSecureContext, rootCertificates } from 'node:tls';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { MAX_PEM_BYTES, splitCertificates } from '../settings/pem.ts';
import { readBounded } from '../settings/read-bounded.ts';
import type { SystemCertificates } from '../settings/system-certificates.ts';
import { readSystemCertificates, systemCertificateFiles } from '../settings/system-certificates.ts';

export interface TrustSources {
  /** A PEM file the user names. */
  readonly ca: string | undefined;
  /** Whether the operating system's store counts. */
  readonly systemCa: boolean;
  /** For NODE_EXTRA_CA_CERTS and where the system's store lies. */
  readonly env: NodeJS.ProcessEnv;
}

/** What a TLS connection trusts. */
export interface Trust {
  /** Built at the first call; never fails: what cannot be read is left out. */
  secureContext(): Promise<SecureContext>;
  /** PEM, one certificate each: what of it Node does not bring along. */
  added(): Promise<readonly string[]>;
  /** The files this is read from, some of which may be missing; `null` where the system's store is none of files. */
  files(): Promise<readonly string[] | null>;
  /** For messages, once the context is built; `undefined` where the system's store is turned off. */
  readonly system: SystemCertificates | undefined;
}

type ReadSystem = (deps: { readonly env: NodeJS.ProcessEnv }) => Promise<SystemCertificates>;
interface Gathered {
  readonly added: readonly string[];
  readonly context: () => SecureContext;
  readonly system: SystemCertificates | undefined;
}

/** The last one that was built: calls of the one-shot functions share it. */
let recent:
  | {
      readonly key: string;
      readonly readSystem: ReadSystem;
      readonly gathered: Promise<Gathered>;
    }
  | undefined;

/**
 * Reads the file the user names at once, and everything else when the first TLS connection needs it.
 *
 * @throws SallyportError CA_UNREADABLE
 */
export async function trustOf(
  sources: TrustSources,
  readSystem: ReadSystem = readSystemCertificates,
): Promise<Trust> {
  const named = sources.ca === undefined ? [] : await readCertificates(sources.ca);
  let system: SystemCertificates | undefined;
  return {
    get system() {
      return system;
    },
    secureContext: async () => {
      const gathered = await gatherOnce(sources, named, readSystem);
      system = gathered.system;
      return gathered.context();
    },
    added: async () => (await gatherOnce(sources, named, readSystem)).added.filter(isCertificate),
    files: async () => filesOf(sources),
  };
}

async function filesOf({ ca, systemCa, env }: TrustSources): Promise<readonly string[] | null> {
  const named = [ca, env['NODE_EXTRA_CA_CERTS']].filter((file) => file !== undefined);
  const system = systemCa ? await systemCertificateFiles({ env }) : [];
  return system === null ? null : [...named, ...system];
}

function gatherOnce(
  sources: TrustSources,
  named: readonly string[],
  readSystem: ReadSystem,
): Promise<Gathered> {
  const { systemCa, env } = sources;
  const places = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'].map((name) => env[name] ?? '');
  const digest = createHash('sha256').update(named.join('\n')).digest('hex');
  const key = JSON.stringify([systemCa, ...places, digest]);
  if (recent?.key !== key || recent.readSystem !== readSystem) {
    recent = { key, readSystem, gathered: gather(sources, named, readSystem) };
  }
  return recent.gathered;
}

async function gather(
  { systemCa, env }: TrustSources,
  named: readonly string[],
  readSystem: ReadSystem,
): Promise<Gathered> {
  const extra = env['NODE_EXTRA_CA_CERTS'];
  const own = extra === undefined ? [] : await readCertificates(extra).catch(() => []);
  const system = systemCa ? await readSystem({ env }) : undefined;
  const added = withoutNodes([...own, ...(system?.certificates ?? []), ...named]);
  let context: SecureContext | undefined;
  return { added, system, context: () => (context ??= contextTrusting(added)) };
}

/** Most of a system's store is in Node already. Certificates are one when their bytes are. */
function withoutNodes(certificates: readonly string[]): string[] {
  const byBytes = new Map(certificates.map((pem) => [bytesOf(pem), pem]));
  for (const pem of rootCertificates) {
    byBytes.delete(bytesOf(pem));
  }
  return [...byBytes.values()];
}

function bytesOf(pem: string): string {
  return pem.replaceAll(/-----[^-]*-----|\s/g, '');
}

/**
 * Adds to the roots Node starts with, whatever its options made of them. The option `ca` would replace these, and parse
 * all 140 of them again (19 ms instead of 3).
 */
function contextTrusting(added: readonly string[]): SecureContext {
  const context = createSecureContext();
  const { addCACert } = context.context as { addCACert?: (pem: string) => void };
  if (typeof addCACert !== 'function') {
    return createSecureContext({ ca: [...rootCertificates, ...added.filter(isCertificate)] });
  }
  for (const pem of added) {
    try {
      addCACert.call(context.context, pem);
    } catch {
      // One odd certificate in a system's store must not cost all the others.
    }
  }
  return context;
}

async function readCertificates(file: string): Promise<string[]> {
  const bytes = await readBounded(file, MAX_PEM_BYTES).catch((cause) => {
    throw unreadable(`Cannot read ${file} (${errorWord(cause)})`, cause);
  });
  if (bytes === null) {
    throw unreadable(`${file} has more than 16 MiB`);
  }
  const found = splitCertificates(bytes.toString('latin1'));
  if (found.length === 0 || !found.every(isCertificate)) {
    throw unreadable(`${file} holds no certificate that can be read`);
  }
  return found;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function unreadable(detail: string, cause?: unknown): SallyportError {
  return new SallyportError('CA_UNREADABLE', detail, {
    cause,
    hint: 'It must be a PEM file with at least one certificate.',
  });
}
