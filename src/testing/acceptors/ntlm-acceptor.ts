// One NTLM handshake on one connection: type 1 in, type 2 out, type 3 judged. Owns the server challenge and
// which message may come next.
import { randomBytes } from 'node:crypto';
import type { Acceptor, AcceptorStep } from './acceptor.ts';
import type { AvPair } from './ntlm-messages.ts';
import { AV, FLAG, ntlmMessageType, readNegotiateFlags, writeChallenge } from './ntlm-messages.ts';
import type { NtlmExpectations, NtlmVerdict } from './ntlm-verify.ts';
import { verifyAuthenticate } from './ntlm-verify.ts';

/** What a challenge leaves out, or says twice. */
export interface ChallengeForm {
  /** Without it there is nothing a client could bind channel, SPN and MIC to: they are then not demanded. */
  readonly targetInfo: boolean;
  readonly timestamp: boolean;
  /** Flags UNICODE and OEM at once. */
  readonly bothCharsets: boolean;
}

export interface NtlmPolicy extends NtlmExpectations {
  /** The form of the next challenge. Default: as Windows challenges. */
  readonly challengeForm?: () => ChallengeForm;
}

/** What the acceptor grants when it is offered; never key exchange, which HTTP has no use for. */
const GRANTED =
  FLAG.REQUEST_TARGET |
  FLAG.ALWAYS_SIGN |
  FLAG.EXTENDED_SESSION_SECURITY |
  FLAG.VERSION |
  FLAG.KEY_128 |
  FLAG.KEY_56;

const USUAL_CHALLENGE: ChallengeForm = {
  targetInfo: true,
  timestamp: true,
  bothCharsets: false,
};

/** 100 ns intervals between 1601 and 1970. */
const FILETIME_OF_UNIX_EPOCH = 116_444_736_000_000_000n;

/** Answers NTLM messages as they are; `NegotiateAcceptor` puts SPNEGO around it. */
export class NtlmAcceptor implements Acceptor {
  readonly #expected: NtlmPolicy;
  readonly #maySign: boolean;
  #pending: { readonly negotiate: Buffer; readonly challenge: Buffer } | null = null;

  /** @param maySign grants SIGN and SEAL, which the SPNEGO mechListMIC needs */
  constructor(expected: NtlmPolicy, maySign = false) {
    this.#expected = expected;
    this.#maySign = maySign;
  }

  step(token: Buffer): AcceptorStep {
    if (ntlmMessageType(token) === 1) {
      const challenge = this.challenge(token);
      return challenge === null
        ? { kind: 'refused', reason: 'malformed', user: null }
        : { kind: 'challenge', token: challenge };
    }
    const verdict = this.verify(token);
    return verdict.accepted
      ? { kind: 'accepted', account: verdict.account, token: null }
      : { kind: 'refused', reason: verdict.reason, user: verdict.user };
  }

  /** Answers a type 1 message with a fresh challenge; `null` when it is malformed. */
  challenge(negotiate: Buffer): Buffer | null {
    const offered = readNegotiateFlags(negotiate);
    if (offered === null) {
      return null;
    }
    const granted = this.#maySign ? GRANTED | FLAG.SIGN | FLAG.SEAL : GRANTED;
    // curl offers OEM alone.
    const charset = (offered & (FLAG.UNICODE | FLAG.OEM)) === FLAG.OEM ? FLAG.OEM : FLAG.UNICODE;
    const { domain } = this.#expected.accounts;
    const form = this.#expected.challengeForm?.() ?? USUAL_CHALLENGE;
    const charsets = form.bothCharsets ? charset | FLAG.UNICODE | FLAG.OEM : charset;
    const hasInfo = form.targetInfo ? FLAG.TARGET_INFO : 0;
    const challenge = writeChallenge({
      flags: (offered & granted) | charsets | FLAG.NTLM | hasInfo | FLAG.TARGET_TYPE_DOMAIN,
      serverChallenge: randomBytes(8),
      targetName: domain,
      targetInfo: form.targetInfo ? describeServer(domain, form.timestamp) : null,
    });
    this.#pending = { negotiate, challenge };
    return challenge;
  }

  /** Judges a type 3 message; each challenge is good for one. */
  verify(authenticate: Buffer): NtlmVerdict {
    const pending = this.#pending;
    this.#pending = null;
    if (ntlmMessageType(authenticate) === null) {
      return { accepted: false, reason: 'malformed', user: null };
    }
    return pending === null
      ? { accepted: false, reason: 'out-of-order', user: null }
      : verifyAuthenticate({ ...pending, authenticate }, this.#expected);
  }
}

function describeServer(domain: string, hasTimestamp: boolean): AvPair[] {
  const text = (id: number, value: string): AvPair => ({
    id,
    value: Buffer.from(value, 'utf16le'),
  });
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64LE(BigInt(Date.now()) * 10_000n + FILETIME_OF_UNIX_EPOCH);
  return [
    text(AV.DOMAIN, domain),
    text(AV.COMPUTER, 'PROXY'),
    text(AV.DNS_DOMAIN, 'corp.test'),
    text(AV.DNS_COMPUTER, 'proxy.corp.test'),
    ...(hasTimestamp ? [{ id: AV.TIMESTAMP, value: timestamp }] : []),
  ];
}
