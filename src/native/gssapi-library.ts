// Finds the system's GSSAPI and calls its functions by name. Owns the search order, the flavours and the signatures;
// what a call means is `gssapi-calls.ts`.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { NativeFunction, NativeLibrary, NativeType, NativeValue } from './ffi.ts';
import { NativeMemory, openLibrary } from './ffi.ts';
import type { GssArena, GssLayout } from './gssapi-structures.ts';
import { gssLayout } from './gssapi-structures.ts';

/** `Apple` is a Heimdal of old, with changes. */
export type GssFlavour = 'MIT' | 'Heimdal' | 'Apple';

/** What a call answered (RFC 2744 section 3.9): for all mechanisms, and by the one at work. */
export interface GssStatus {
  readonly call: string;
  readonly major: number;
  /** Unsigned. */
  readonly minor: number;
}

const APPLE_FRAMEWORK = '/System/Library/Frameworks/GSS.framework/GSS';
/** MIT before Heimdal, and what Heimdal's library was called in turn. */
const LINUX_LIBRARIES = [
  'libgssapi_krb5.so.2',
  'libgssapi.so.3',
  'libgssapi.so.4',
  'libgssapi.so.2',
  'libgssapi.so.1',
];
/** CITI's wrapper, which may end the process, has both (Firefox bug 325433). */
const WRAPPER_SIGNS = ['internal_krb5_gss_initialize', 'gssd_pname_to_uid'];
/** dlopen(3), Linux. */
const RTLD_NOW = 0x2;
const RTLD_NODELETE = 0x1000;
const HEIMDAL_SIGN = 'gsskrb5_register_acceptor_identity';

/** What follows `OM_uint32 *minor_status`, the first parameter of each; the result is the major status. */
const PARAMETERS = {
  gss_accept_sec_context: [...pointers(10)],
  gss_acquire_cred: ['pointer', 'u32', 'pointer', 'i32', ...pointers(3)],
  gss_acquire_cred_with_password: ['pointer', 'pointer', 'u32', 'pointer', 'i32', ...pointers(3)],
  gss_canonicalize_name: pointers(3),
  gss_delete_sec_context: pointers(2),
  gss_display_name: pointers(3),
  gss_display_status: ['u32', 'i32', ...pointers(3)],
  gss_get_mic: ['pointer', 'u32', 'pointer', 'pointer'],
  gss_import_name: pointers(3),
  gss_indicate_mechs: pointers(1),
  gss_init_sec_context: [...pointers(4), 'u32', 'u32', ...pointers(6)],
  gss_inquire_context: pointers(8),
  gss_inquire_cred: pointers(5),
  gss_release_buffer: pointers(1),
  gss_release_cred: pointers(1),
  gss_release_name: pointers(1),
  gss_release_oid_set: pointers(1),
  gss_set_neg_mechs: pointers(2),
  gss_verify_mic: pointers(4),
} as const satisfies Record<string, readonly NativeType[]>;

export type GssFunctionName = keyof typeof PARAMETERS;

/** A GSSAPI that was found. */
export class GssLibrary {
  /** As it was opened. */
  readonly name: string;
  readonly flavour: GssFlavour;
  readonly layout: GssLayout = gssLayout();
  readonly #library: NativeLibrary;
  readonly #functions = new Map<GssFunctionName, NativeFunction>();

  constructor(library: NativeLibrary) {
    this.#library = library;
    this.name = library.name;
    this.flavour = flavourOf(library);
  }

  /** For calls that never wait. */
  call(arena: GssArena, name: GssFunctionName, ...values: readonly NativeValue[]): GssStatus {
    const minor = arena.room();
    const major = this.#function(name).call(minor.address, ...values);
    return { call: name, major: Number(major), minor: minor.bytes.readUInt32LE(0) };
  }

  /** For calls that may wait for a network; the arena MUST live until the promise settles. */
  async callAsync(
    arena: GssArena,
    name: GssFunctionName,
    ...values: readonly NativeValue[]
  ): Promise<GssStatus> {
    const minor = arena.room();
    const major = await this.#function(name).callAsync(minor.address, ...values);
    return { call: name, major: Number(major), minor: minor.bytes.readUInt32LE(0) };
  }

  /** @param path address of a C string */
  useKeytab(path: bigint): boolean {
    const register = this.#library.find(HEIMDAL_SIGN, 'u32', ['pointer']);
    return register !== undefined && register.call(path) === 0;
  }

  #function(name: GssFunctionName): NativeFunction {
    const known =
      this.#functions.get(name) ??
      this.#library.require(name, 'u32', ['pointer', ...PARAMETERS[name]]);
    this.#functions.set(name, known);
    return known;
  }
}

/**
 * @param library instead of the usual ones
 * @throws SallyportError SIGN_ON_UNAVAILABLE
 */
export function openGssLibrary(library?: string): GssLibrary {
  const names = library === undefined ? usualLibraries() : [library];
  for (const name of names) {
    const opened = tryOpen(name);
    if (opened !== null && !isWrapper(opened)) {
      keepLoaded(opened);
      return new GssLibrary(opened);
    }
  }
  // Once more for the reason: no FFI here, or none of the libraries.
  openLibrary(names);
  throw new SallyportError('SIGN_ON_UNAVAILABLE', `${names.join(', ')} cannot be used`);
}

function usualLibraries(): readonly string[] {
  return process.platform === 'darwin' ? [APPLE_FRAMEWORK] : LINUX_LIBRARIES;
}

function tryOpen(name: string): NativeLibrary | null {
  try {
    return openLibrary([name]);
  } catch {
    return null;
  }
}

/**
 * Heimdal leaves destructors with each thread that called it. The FFI closes libraries before libuv's threads end, and the
 * process would crash at its exit (seen with 7.8, each time); a second reference that is never given back keeps the code.
 */
function keepLoaded(library: NativeLibrary): void {
  const open = library.find('dlopen', 'pointer', ['pointer', 'i32']);
  if (process.platform === 'linux' && open !== undefined) {
    const path = NativeMemory.of(Buffer.from(`${library.name}\0`));
    open.call(path.address, RTLD_NOW | RTLD_NODELETE);
    path.free();
  }
}

function isWrapper(library: NativeLibrary): boolean {
  return WRAPPER_SIGNS.every((symbol) => library.find(symbol, 'u32', []) !== undefined);
}

function flavourOf(library: NativeLibrary): GssFlavour {
  if (library.name.includes('GSS.framework')) {
    return 'Apple';
  }
  return library.find(HEIMDAL_SIGN, 'u32', ['pointer']) === undefined ? 'MIT' : 'Heimdal';
}

function pointers(count: number): NativeType[] {
  return Array.from({ length: count }, () => 'pointer');
}
