// What a sign-on is told of its server, of the user and of what is shared with other sign-ons. Owns these words.
import type { Identity } from '../auth/credentials.ts';
import type { DigestNonces } from '../auth/digest-nonces.ts';
import type { LogonGate } from '../auth/logons/logon-gate.ts';
import type { AllowedScheme, NegotiateForm } from '../auth/mechanisms.ts';
import type { SignOnRule } from '../auth/sign-on-rules.ts';
import type { Layer } from '../observe/events.ts';
import type { FirstStarts } from './first-starts.ts';
import type { ServiceNames } from './first-token.ts';
import type { HandshakeLimit } from './handshake-limit.ts';
import type { ProxyMemory } from './proxy-memory.ts';

/** What a sign-on needs to know of the server it speaks to and of the user. */
export interface SignOnScope {
  readonly layer: Layer;
  /** Host name without port: the place a secret is proven at, and part of the SPN. */
  readonly host: string;
  /** `host:port`, for messages and memory. */
  readonly name: string;
  /** Where a password is judged, for the gate: all servers of one domain. */
  readonly realm: string;
  readonly identity: Identity | null;
  /** What may go there at all. */
  readonly rule: SignOnRule;
  /** The name alone, where its password is missing. */
  readonly user: string | null;
  readonly allow: readonly AllowedScheme[];
  readonly negotiateForm: NegotiateForm;
  readonly allowBasicHttp: boolean;
  readonly allowNtlm: boolean;
  readonly delegate: boolean;
  readonly serviceNames: Omit<ServiceNames, 'known'>;
  readonly securityLibrary: string | undefined;
  /** Whether credentials travel inside TLS to this server. */
  readonly encrypted: boolean;
  /** An origin behind a forwarding proxy: its connection may be shared unless the proxy says it is not. */
  readonly behindForwardingProxy: boolean;
  readonly memory: ProxyMemory;
  readonly nonces: DigestNonces;
  readonly gate: Pick<LogonGate, 'enter' | 'prepare'>;
  readonly limit: Pick<HandshakeLimit, 'enter'>;
  readonly starts: FirstStarts;
}
