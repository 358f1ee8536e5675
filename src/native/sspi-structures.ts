// The structures of SSPI (sspi.h), laid out for 32 and 64 bits: x64 and arm64 share a layout. Owns offsets and numbers;
// where the bytes live is the caller's business.
import { POINTER_BYTES } from './ffi.ts';

type Field = 'u16' | 'u32' | 'pointer';
type Fields = Readonly<Record<string, Field>>;
type Values<F extends Fields> = { [Name in keyof F]: F[Name] extends 'pointer' ? bigint : number };

/** Members in their order; each is aligned to its own size, the whole to its largest member's. */
export const SSPI_STRUCT = {
  SecHandle: { lower: 'pointer', upper: 'pointer' },
  SecBuffer: { length: 'u32', type: 'u32', bytes: 'pointer' },
  SecBufferDesc: { version: 'u32', count: 'u32', buffers: 'pointer' },
  /** SEC_WINNT_AUTH_IDENTITY_W; lengths in characters. */
  Identity: {
    user: 'pointer',
    userLength: 'u32',
    domain: 'pointer',
    domainLength: 'u32',
    password: 'pointer',
    passwordLength: 'u32',
    flags: 'u32',
  },
  /** SEC_WINNT_AUTH_IDENTITY_EXW */
  ExtendedIdentity: {
    version: 'u32',
    length: 'u32',
    user: 'pointer',
    userLength: 'u32',
    domain: 'pointer',
    domainLength: 'u32',
    password: 'pointer',
    passwordLength: 'u32',
    flags: 'u32',
    packageList: 'pointer',
    packageListLength: 'u32',
  },
  /** SecPkgInfoW */
  PackageInfo: {
    capabilities: 'u32',
    version: 'u16',
    rpcId: 'u16',
    maxToken: 'u32',
    name: 'pointer',
    comment: 'pointer',
  },
  /** SecPkgContext_NegotiationInfoW; SecPkgContext_PackageInfoW is its first member. */
  NegotiationInfo: { packageInfo: 'pointer', state: 'u32' },
  /** SecPkgContext_NamesW, SecPkgCredentials_NamesW, and every pointer that is written to. */
  Pointer: { address: 'pointer' },
} as const satisfies Readonly<Record<string, Fields>>;

export const SECBUFFER = { TOKEN: 2, CHANNEL_BINDINGS: 14 } as const;

const IDENTITY_IS_UNICODE = 2;
const EXTENDED_IDENTITY_VERSION = 0x200;
const CHANNEL_BINDINGS_HEADER = 32;

/** In bytes, with the padding at the end. */
export function sizeOf(fields: Fields, pointerBytes: number = POINTER_BYTES): number {
  return layOut(fields, pointerBytes).size;
}

/** A structure as bytes; members that are not given are zero. */
export function pack<F extends Fields>(
  fields: F,
  values: Partial<Values<F>>,
  pointerBytes: number = POINTER_BYTES,
): Buffer {
  const { size, offsets } = layOut(fields, pointerBytes);
  const bytes = Buffer.alloc(size);
  for (const [name, value] of Object.entries(values as Record<string, number | bigint>)) {
    const offset = offsets[name] ?? 0;
    const width = widthOf(fields[name] ?? 'u32', pointerBytes);
    if (width === 8) {
      bytes.writeBigUInt64LE(BigInt(value), offset);
    } else {
      bytes.writeUIntLE(Number(value), offset, width);
    }
  }
  return bytes;
}

/** The members of a structure. */
export function unpack<F extends Fields>(
  fields: F,
  bytes: Buffer,
  pointerBytes: number = POINTER_BYTES,
): Values<F> {
  const { offsets } = layOut(fields, pointerBytes);
  const read = (name: string, field: Field): number | bigint => {
    const offset = offsets[name] ?? 0;
    const width = widthOf(field, pointerBytes);
    const value = width === 8 ? bytes.readBigUInt64LE(offset) : bytes.readUIntLE(offset, width);
    return field === 'pointer' ? BigInt(value) : value;
  };
  const entries = Object.entries(fields).map(([name, field]) => [name, read(name, field)]);
  return Object.fromEntries(entries) as Values<F>;
}

/** Addresses of UTF-16 texts, and their lengths in characters. */
export interface IdentityTexts {
  readonly user: Text;
  readonly domain: Text;
  readonly password: Text;
}
export interface Text {
  readonly address: bigint;
  readonly length: number;
}

/**
 * Who signs on. A package list makes it SEC_WINNT_AUTH_IDENTITY_EXW: `!ntlm` keeps Negotiate from NTLM.
 *
 * @param packageList without one, the older structure, which every SSPI reads
 */
export function packIdentity(
  { user, domain, password }: IdentityTexts,
  packageList: Text | null,
  pointerBytes: number = POINTER_BYTES,
): Buffer {
  const members = {
    user: user.address,
    userLength: user.length,
    domain: domain.address,
    domainLength: domain.length,
    password: password.address,
    passwordLength: password.length,
    flags: IDENTITY_IS_UNICODE,
  };
  if (packageList === null) {
    return pack(SSPI_STRUCT.Identity, members, pointerBytes);
  }
  const extended = {
    ...members,
    version: EXTENDED_IDENTITY_VERSION,
    length: sizeOf(SSPI_STRUCT.ExtendedIdentity, pointerBytes),
    packageList: packageList.address,
    packageListLength: packageList.length,
  };
  return pack(SSPI_STRUCT.ExtendedIdentity, extended, pointerBytes);
}

/** SEC_CHANNEL_BINDINGS with its data behind it: no addresses of initiator and acceptor, as in RFC 5929. */
export function packChannelBindings(applicationData: Uint8Array): Buffer {
  const header = Buffer.alloc(CHANNEL_BINDINGS_HEADER);
  header.writeUInt32LE(applicationData.length, 24);
  header.writeUInt32LE(CHANNEL_BINDINGS_HEADER, 28);
  return Buffer.concat([header, applicationData]);
}

/** The offset of each member and the size of the whole. */
export function layOut(
  fields: Fields,
  pointerBytes: number,
): { readonly size: number; readonly offsets: Readonly<Record<string, number>> } {
  const offsets: Record<string, number> = {};
  let end = 0;
  let alignment = 1;
  for (const [name, field] of Object.entries(fields)) {
    const width = widthOf(field, pointerBytes);
    const offset = alignUp(end, width);
    offsets[name] = offset;
    end = offset + width;
    alignment = Math.max(alignment, width);
  }
  return { size: alignUp(end, alignment), offsets };
}

function widthOf(field: Field, pointerBytes: number): number {
  if (field === 'pointer') {
    return pointerBytes;
  }
  return field === 'u16' ? 2 : 4;
}

function alignUp(offset: number, to: number): number {
  return Math.ceil(offset / to) * to;
}
