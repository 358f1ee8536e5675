// NTLM wrapped in SPNEGO (RFC 4178, MS-SPNG): NegTokenInit, then NegTokenResp, with the mechListMIC that
// Windows acceptors demand. Owns the order of the tokens and the request-mic restart.
import { timingSafeEqual } from 'node:crypto';
import { SallyportError } from '../errors/sallyport-error.ts';
import { hasFlags, NTLM_FLAGS } from '../ntlm/flags.ts';
import { isNtlmMessage } from '../ntlm/ntlm-message.ts';
import { signingKeys, signMechList } from '../ntlm/session-security.ts';
import { parseSpnegoToken } from '../spnego/neg-token.ts';
import type { NegTokenResp } from '../spnego/token-fields.ts';
import { MECH } from '../spnego/token-fields.ts';
import { formatNegTokenInit, formatNegTokenResp, mechTypeListDer } from '../spnego/write-token.ts';
import { NtlmLegs } from './ntlm-legs.ts';
import type { AuthSession } from './session.ts';
import type { PasswordContext } from './session-context.ts';

const MECH_TYPES = [MECH.NTLMSSP];

export class SpnegoSession implements AuthSession {
  readonly scheme = 'Negotiate';
  readonly proof = 'password';
  readonly principal = null;
  readonly description = 'NTLMv2 in SPNEGO';
  complete = false;
  readonly #legs: NtlmLegs;
  #restarted = false;
  #serverSigningKey: Uint8Array | null = null;

  constructor(context: PasswordContext) {
    this.#legs = new NtlmLegs(context, { sign: true });
  }

  async step(challenge: Uint8Array | null): Promise<Uint8Array | null> {
    if (challenge === null) {
      return formatNegTokenInit({ mechTypes: MECH_TYPES, mechToken: this.#legs.negotiate() });
    }
    if (isNtlmMessage(challenge)) {
      return this.complete ? null : this.#answerRaw(challenge);
    }
    const token = parseSpnegoToken(challenge);
    if (token.kind !== 'resp') {
      throw new SallyportError('CHALLENGE_INVALID', 'The acceptor sent an initiator’s token');
    }
    if (token.negState === 'reject') {
      return null;
    }
    if (this.complete) {
      this.#verifyServer(token);
      return null;
    }
    return this.#continue(token);
  }

  [Symbol.dispose](): void {
    this.#legs.forget();
    this.#serverSigningKey = null;
  }

  async #continue(token: NegTokenResp): Promise<Uint8Array | null> {
    if (token.supportedMech !== undefined && token.supportedMech !== MECH.NTLMSSP) {
      return null;
    }
    if (token.responseToken === undefined) {
      return this.#restart();
    }
    const { message, exportedSessionKey, flags } = await this.#legs.authenticate(
      token.responseToken,
    );
    this.complete = true;
    return formatNegTokenResp({
      negState: 'accept-incomplete',
      responseToken: message,
      ...(hasFlags(flags, NTLM_FLAGS.SIGN)
        ? { mechListMic: this.#signList(exportedSessionKey) }
        : {}),
    });
  }

  /** `request-mic` without a token: begin again inside the exchange (RFC 4178 section 5, px issue 29). */
  #restart(): Uint8Array | null {
    if (this.#restarted) {
      return null;
    }
    this.#restarted = true;
    return formatNegTokenResp({ responseToken: this.#legs.negotiate() });
  }

  async #answerRaw(challenge: Uint8Array): Promise<Uint8Array> {
    const { message } = await this.#legs.authenticate(challenge);
    this.complete = true;
    return message;
  }

  /** Sequence number 0 in each direction (MS-SPNG 3.3.5.1). */
  #signList(exportedSessionKey: Uint8Array): Uint8Array {
    const keys = signingKeys(exportedSessionKey);
    this.#serverSigningKey = keys.serverToClient;
    return signMechList(keys.clientToServer, 0, mechTypeListDer(MECH_TYPES));
  }

  #verifyServer({ mechListMic }: NegTokenResp): void {
    if (mechListMic === undefined || this.#serverSigningKey === null) {
      return;
    }
    const wanted = signMechList(this.#serverSigningKey, 0, mechTypeListDer(MECH_TYPES));
    if (mechListMic.length !== wanted.length || !timingSafeEqual(mechListMic, wanted)) {
      throw new SallyportError(
        'CHALLENGE_INVALID',
        'The acceptor’s signature over the mechanism list is wrong: the negotiation was changed on the way',
      );
    }
  }
}
