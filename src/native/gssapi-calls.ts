// GSSAPI's calls with native memory taken care of: bytes and handles in, bytes and handles out. Owns what is freed when;
// a handle it returns belongs to the caller until the release of its kind. Judges no failure: statuses are returned.
import type { NativeMemory } from './ffi.ts';
import { copyFrom, readPointer } from './ffi.ts';
import type { GssLibrary, GssStatus } from './gssapi-library.ts';
import { GssArena, parseBuffer, readOidAt, readOidSetAt } from './gssapi-structures.ts';
import { PasswordCredentials } from './password-credentials.ts';

/** DER bodies of object identifiers (RFC 2744 section 4, RFC 1964, MS-SPNG 1.9). */
export const GSS_OID = {
  KERBEROS: Buffer.from('2a864886f712010202', 'hex'),
  SPNEGO: Buffer.from('2b0601050502', 'hex'),
  NTLMSSP: Buffer.from('2b06010401823702020a', 'hex'),
  HOSTBASED_SERVICE: Buffer.from('2a864886f71201020104', 'hex'),
  USER_NAME: Buffer.from('2a864886f71201020101', 'hex'),
  KERBEROS_PRINCIPAL: Buffer.from('2a864886f71201020201', 'hex'),
} as const;

export const GSS_FLAG = { DELEGATE: 0x1, MUTUAL: 0x2 } as const;

/** GSS_C_NO_NAME, GSS_C_NO_CREDENTIAL, GSS_C_NO_CONTEXT and NULL. */
export const NOTHING = 0n;

const INITIATE = 1;
const INDEFINITE = 0xffff_ffff;
const CONTINUE_NEEDED = 0x1;
/** Calling and routine errors; the lower half is information (RFC 2744 section 3.9.1). */
const ERROR_MASK = 0xffff_0000;
const FAILURE = 13;
/** A library that repeats itself must not hold us. */
const MAX_STATUS_TEXTS = 8;

export interface GssHandleResult {
  readonly status: GssStatus;
  /** `NOTHING` after a failure. */
  readonly handle: bigint;
}

export interface GssInitInput {
  readonly credential: bigint;
  /** `NOTHING` for the first call. */
  readonly context: bigint;
  readonly target: bigint;
  readonly mechanism: Uint8Array;
  readonly flags: number;
  readonly channelBindings: Uint8Array | null;
  readonly token: Uint8Array | null;
}

export interface GssInitResult {
  readonly status: GssStatus;
  /** To be deleted, also after a failure where it is not `NOTHING`. */
  readonly context: bigint;
  readonly complete: boolean;
  readonly token: Uint8Array | null;
  /** What the context can do; meant once complete. */
  readonly flags: number;
}

export function isGssError({ major }: GssStatus): boolean {
  return (major & ERROR_MASK) !== 0;
}

export class GssCalls {
  readonly library: GssLibrary;
  /** Shared by all sign-ons through this library. */
  readonly passwordCredentials: PasswordCredentials;

  constructor(library: GssLibrary) {
    this.library = library;
    this.passwordCredentials = new PasswordCredentials((handle) => this.releaseCredential(handle));
  }

  /** DER bodies of the mechanisms this library has here. */
  mechanisms(): Buffer[] {
    return this.#inArena((arena) => {
      const set = arena.room();
      this.library.call(arena, 'gss_indicate_mechs', set.address);
      const found = readOidSetAt(this.library.layout, readPointer(set.bytes, 0));
      this.library.call(arena, 'gss_release_oid_set', set.address);
      return found;
    });
  }

  importName(text: string, type: Uint8Array): GssHandleResult {
    return this.#inArena((arena) => {
      const name = arena.room();
      const status = this.library.call(
        arena,
        'gss_import_name',
        arena.buffer(Buffer.from(text)),
        arena.oid(type),
        name.address,
      );
      return { status, handle: readPointer(name.bytes, 0) };
    });
  }

  /** For people; `null` where there is no name. */
  displayName(name: bigint): string | null {
    if (name === NOTHING) {
      return null;
    }
    return this.#inArena((arena) => {
      const buffer = this.#emptyBuffer(arena);
      this.library.call(arena, 'gss_display_name', name, buffer.address, NOTHING);
      // gss-ntlmssp 1.2 counts the closing NUL in.
      return this.#takeBuffer(arena, buffer)?.toString('utf8').replace(/\0$/, '') ?? null;
    });
  }

  /** The name as the mechanism has it, default realm added. May look the realm up in the DNS. */
  canonicalName(name: bigint, mechanism: Uint8Array): Promise<GssHandleResult> {
    return this.#inArenaAsync(async (arena) => {
      const canonical = arena.room();
      const status = await this.library.callAsync(
        arena,
        'gss_canonicalize_name',
        name,
        arena.oid(mechanism),
        canonical.address,
      );
      return { status, handle: readPointer(canonical.bytes, 0) };
    });
  }

  /**
   * Credentials to initiate with, of one mechanism.
   *
   * @param name `NOTHING` for whoever is signed in
   */
  acquire(name: bigint, mechanism: Uint8Array): Promise<GssHandleResult> {
    return this.#acquire('gss_acquire_cred', name, mechanism, () => []);
  }

  /** The same from a password: asks the KDC, keeps the ticket in memory. */
  acquireWithPassword(
    name: bigint,
    password: string,
    mechanism: Uint8Array,
  ): Promise<GssHandleResult> {
    return this.#acquire('gss_acquire_cred_with_password', name, mechanism, (arena) => {
      const secret = Buffer.from(password);
      const buffer = arena.buffer(secret);
      secret.fill(0);
      return [buffer];
    });
  }

  /** Heimdal only: the keytab that `acquire` by name may take keys from, for the whole process. */
  useKeytab(path: string): boolean {
    return this.#inArena((arena) => this.library.useKeytab(arena.text(path)));
  }

  /** Lets SPNEGO offer this mechanism and no other. */
  restrictNegotiation(credential: bigint, mechanism: Uint8Array): GssStatus {
    return this.#inArena((arena) =>
      this.library.call(arena, 'gss_set_neg_mechs', credential, arena.oidSet(mechanism)),
    );
  }

  initSecContext(input: GssInitInput): Promise<GssInitResult> {
    return this.#inArenaAsync(async (arena) => {
      const context = arena.room();
      context.bytes.writeBigUInt64LE(input.context);
      const output = this.#emptyBuffer(arena);
      const flags = arena.room();
      const status = await this.library.callAsync(
        arena,
        'gss_init_sec_context',
        input.credential,
        context.address,
        input.target,
        arena.oid(input.mechanism),
        input.flags,
        INDEFINITE,
        arena.bindings(input.channelBindings),
        input.token === null ? NOTHING : arena.buffer(input.token),
        NOTHING,
        output.address,
        flags.address,
        NOTHING,
      );
      return {
        status,
        context: readPointer(context.bytes, 0),
        complete: !isGssError(status) && (status.major & CONTINUE_NEEDED) === 0,
        token: this.#takeBuffer(arena, output),
        flags: flags.bytes.readUInt32LE(0),
      };
    });
  }

  /** Who initiates, and by which mechanism, as far as the context tells yet. */
  inquireContext(context: bigint): { initiator: string | null; mechanism: Buffer } {
    return this.#inArena((arena) => {
      const name = arena.room();
      const mechanism = arena.room();
      const status = this.library.call(
        arena,
        'gss_inquire_context',
        context,
        name.address,
        NOTHING,
        NOTHING,
        mechanism.address,
        NOTHING,
        NOTHING,
        NOTHING,
      );
      const initiator = this.displayName(readPointer(name.bytes, 0));
      this.releaseName(readPointer(name.bytes, 0));
      return {
        initiator,
        mechanism: isGssError(status)
          ? Buffer.alloc(0)
          : readOidAt(this.library.layout, readPointer(mechanism.bytes, 0)),
      };
    });
  }

  /** Whose credentials these are; `null` where it is decided later. */
  inquireCredential(credential: bigint): string | null {
    return this.#inArena((arena) => {
      const name = arena.room();
      this.library.call(
        arena,
        'gss_inquire_cred',
        credential,
        name.address,
        NOTHING,
        NOTHING,
        NOTHING,
      );
      const text = this.displayName(readPointer(name.bytes, 0));
      this.releaseName(readPointer(name.bytes, 0));
      return text;
    });
  }

  /** A signature over bytes; the context must be complete. */
  getMic(context: bigint, message: Uint8Array): { status: GssStatus; mic: Uint8Array | null } {
    return this.#inArena((arena) => {
      const mic = this.#emptyBuffer(arena);
      const buffer = arena.buffer(message);
      const status = this.library.call(arena, 'gss_get_mic', context, 0, buffer, mic.address);
      return { status, mic: this.#takeBuffer(arena, mic) };
    });
  }

  verifyMic(context: bigint, message: Uint8Array, mic: Uint8Array): GssStatus {
    return this.#inArena((arena) =>
      this.library.call(
        arena,
        'gss_verify_mic',
        context,
        arena.buffer(message),
        arena.buffer(mic),
        NOTHING,
      ),
    );
  }

  /**
   * What the library says about a status, in its own words; empty where it says nothing. Details that it keeps for the
   * thread of the call are lost: Heimdal then knows no words at all for a minor status.
   */
  statusText({ major, minor }: GssStatus, mechanism: Uint8Array): string {
    const texts = minor === 0 ? [] : this.#statusTexts(minor, 2, mechanism);
    const known = texts.filter((text) => !text.startsWith('unknown mech-code'));
    // "Miscellaneous failure (see text)" says nothing without the text.
    const isVague = minor !== 0 && (major & ERROR_MASK) >>> 16 === FAILURE;
    return (known.length > 0 || isVague ? known : this.#statusTexts(major, 1, mechanism)).join(
      '; ',
    );
  }

  releaseName(name: bigint): void {
    this.#release('gss_release_name', name);
  }

  releaseCredential(credential: bigint): void {
    this.#release('gss_release_cred', credential);
  }

  deleteContext(context: bigint): void {
    this.#release('gss_delete_sec_context', context, NOTHING);
  }

  #release(
    name: 'gss_release_name' | 'gss_release_cred' | 'gss_delete_sec_context',
    handle: bigint,
    ...more: readonly bigint[]
  ): void {
    if (handle !== NOTHING) {
      this.#inArena((arena) => {
        const slot = arena.room();
        slot.bytes.writeBigUInt64LE(handle);
        this.library.call(arena, name, slot.address, ...more);
      });
    }
  }

  /** @param type 1 for a major status, 2 for a minor one (RFC 2744 section 5.11) */
  #statusTexts(status: number, type: 1 | 2, mechanism: Uint8Array): string[] {
    return this.#inArena((arena) => {
      const more = arena.room();
      const texts: string[] = [];
      do {
        const buffer = this.#emptyBuffer(arena);
        const answer = this.library.call(
          arena,
          'gss_display_status',
          status,
          type,
          arena.oid(mechanism),
          more.address,
          buffer.address,
        );
        const text = this.#takeBuffer(arena, buffer)?.toString('utf8').trim() ?? '';
        if (isGssError(answer)) {
          break;
        }
        texts.push(text);
      } while (more.bytes.readUInt32LE(0) !== 0 && texts.length < MAX_STATUS_TEXTS);
      return texts.filter((text) => text !== '');
    });
  }

  #emptyBuffer(arena: GssArena): NativeMemory {
    return arena.room(this.library.layout.buffer.bytes);
  }

  /** Copies what the library gave, also with a failure, and lets it free its own; `null` for nothing. */
  #takeBuffer(arena: GssArena, buffer: NativeMemory): Buffer | null {
    const { address, length } = parseBuffer(this.library.layout, buffer.bytes);
    if (address === NOTHING) {
      return null;
    }
    const bytes = copyFrom(address, length);
    this.library.call(arena, 'gss_release_buffer', buffer.address);
    return length === 0 ? null : bytes;
  }

  /** @param secretOf what stands between name and time in this call */
  #acquire(
    call: 'gss_acquire_cred' | 'gss_acquire_cred_with_password',
    name: bigint,
    mechanism: Uint8Array,
    secretOf: (arena: GssArena) => readonly bigint[],
  ): Promise<GssHandleResult> {
    return this.#inArenaAsync(async (arena) => {
      const credential = arena.room();
      const status = await this.library.callAsync(
        arena,
        call,
        name,
        ...secretOf(arena),
        INDEFINITE,
        arena.oidSet(mechanism),
        INITIATE,
        credential.address,
        NOTHING,
        NOTHING,
      );
      return { status, handle: readPointer(credential.bytes, 0) };
    });
  }

  #inArena<T>(run: (arena: GssArena) => T): T {
    const arena = new GssArena(this.library.layout);
    try {
      return run(arena);
    } finally {
      arena[Symbol.dispose]();
    }
  }

  async #inArenaAsync<T>(run: (arena: GssArena) => Promise<T>): Promise<T> {
    const arena = new GssArena(this.library.layout);
    try {
      return await run(arena);
    } finally {
      arena[Symbol.dispose]();
    }
  }
}
