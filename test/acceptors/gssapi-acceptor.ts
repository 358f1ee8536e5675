// The server's half of GSSAPI, for tests: accepts tokens by the library of one flavour, in this process. Owns the one call
// the product has no use for (gss_accept_sec_context); keys come from the environment (KRB5_KTNAME, NTLM_USER_FILE).
import type { NativeMemory } from '../../src/native/ffi.ts';
import { copyFrom, readPointer } from '../../src/native/ffi.ts';
import { GssCalls, isGssError, NOTHING } from '../../src/native/gssapi-calls.ts';
import { openGssLibrary } from '../../src/native/gssapi-library.ts';
import { majorSymbol } from '../../src/native/gssapi-status.ts';
import { GssArena, parseBuffer, readOidAt } from '../../src/native/gssapi-structures.ts';

const CONTINUE_NEEDED = 0x1;
const DELEGATED = 0x1;
/** Set when the initiator's bindings were there and the same as ours; MIT since 1.19. */
const CHANNEL_BOUND = 0x800;

export interface AcceptorAnswer {
  /** For the initiator; `null` for nothing. */
  readonly token: Uint8Array | null;
  readonly done: boolean;
  /** Who it is, once done. */
  readonly initiator: string | null;
  /** DER body of the mechanism's identifier, in hex. */
  readonly mechanism: string;
  /** Whether the initiator is known to see the same TLS connection. */
  readonly channelBound: boolean;
  /** Whether the initiator let this side act for it. */
  readonly delegated: boolean;
}

/** What the library said no to. */
class AcceptorError extends Error {
  /** `GSS_S_BAD_BINDINGS` and its like. */
  readonly symbol: string;

  constructor(symbol: string, text: string) {
    super(`${symbol}: ${text}`);
    this.symbol = symbol;
  }
}

/** One sign-on, seen from the server. */
export class GssapiAcceptor implements Disposable {
  readonly #calls: GssCalls;
  readonly #channelBindings: Uint8Array | null;
  #context = NOTHING;

  /** @param channelBindings `tls-server-end-point:` data of the connection, or `null` */
  constructor(library: string, channelBindings: Uint8Array | null) {
    this.#calls = new GssCalls(openGssLibrary(library));
    this.#channelBindings = channelBindings;
  }

  /** @throws AcceptorError */
  accept(token: Uint8Array): AcceptorAnswer {
    const arena = new GssArena(this.#calls.library.layout);
    try {
      return this.#accept(arena, token);
    } finally {
      arena[Symbol.dispose]();
    }
  }

  /** A signature of this side; the context must be done. */
  sign(message: Uint8Array): Uint8Array {
    const { mic } = this.#calls.getMic(this.#context, message);
    if (mic === null) {
      throw new Error('the library does not sign');
    }
    return mic;
  }

  /** Whether it is the initiator's signature. */
  verify(message: Uint8Array, mic: Uint8Array): boolean {
    return !isGssError(this.#calls.verifyMic(this.#context, message, mic));
  }

  [Symbol.dispose](): void {
    this.#calls.deleteContext(this.#context);
    this.#context = NOTHING;
  }

  #accept(arena: GssArena, token: Uint8Array): AcceptorAnswer {
    const { library } = this.#calls;
    const context = arena.room();
    const initiator = arena.room();
    const mechanism = arena.room();
    const flags = arena.room();
    context.bytes.writeBigUInt64LE(this.#context);
    const output = arena.room(library.layout.buffer.bytes);
    const status = library.call(
      arena,
      'gss_accept_sec_context',
      context.address,
      NOTHING,
      arena.buffer(token),
      arena.bindings(this.#channelBindings),
      initiator.address,
      mechanism.address,
      output.address,
      flags.address,
      NOTHING,
      NOTHING,
    );
    this.#context = readPointer(context.bytes, 0);
    const oid = readOidAt(library.layout, readPointer(mechanism.bytes, 0));
    const name = readPointer(initiator.bytes, 0);
    const bits = flags.bytes.readUInt32LE(0);
    const answer = {
      token: this.#take(arena, output),
      done: (status.major & CONTINUE_NEEDED) === 0,
      initiator: this.#calls.displayName(name),
      mechanism: oid.toString('hex'),
      channelBound: (bits & CHANNEL_BOUND) !== 0,
      delegated: (bits & DELEGATED) !== 0,
    };
    this.#calls.releaseName(name);
    if (isGssError(status)) {
      throw new AcceptorError(majorSymbol(status.major), this.#calls.statusText(status, oid));
    }
    return answer;
  }

  #take(arena: GssArena, output: NativeMemory): Buffer | null {
    const { library } = this.#calls;
    const { address, length } = parseBuffer(library.layout, output.bytes);
    const bytes = address === NOTHING || length === 0 ? null : copyFrom(address, length);
    library.call(arena, 'gss_release_buffer', output.address);
    return bytes;
  }
}
