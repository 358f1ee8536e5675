// One Negotiate handshake on one connection: NTLM as it is, or wrapped in SPNEGO (RFC 4178, MS-SPNG). Owns
// which forms are taken and the mechListMIC. Kerberos tickets are beyond it: there is no KDC here.
import { timingSafeEqual } from 'node:crypto';
import { writeOid } from '../der.ts';
import type { Acceptor, AcceptorStep, RefusalReason } from './acceptor.ts';
import type { NtlmPolicy } from './ntlm-acceptor.ts';
import { NtlmAcceptor } from './ntlm-acceptor.ts';
import { mechListSignature } from './ntlm-keys.ts';
import { FLAG, ntlmMessageType } from './ntlm-messages.ts';
import type { NtlmVerdict } from './ntlm-verify.ts';
import {
  NEG_STATE,
  NTLMSSP,
  readNegTokenInit,
  readNegTokenResp,
  writeNegTokenResp,
} from './spnego-tokens.ts';

/** Which forms of NTLM stand under `Negotiate`; with neither the acceptor wants Kerberos, as some do. */
export interface NegotiateForms {
  /** `NTLMSSP` messages without SPNEGO, answered in kind (IIS and many proxies). */
  readonly raw: boolean;
  readonly wrapped: boolean;
  /** Answers the first token with `request-mic` and no token: the client begins again (px issue 29). */
  readonly requestMic?: boolean;
}

const NTLMSSP_OID = writeOid(NTLMSSP);

/** Tells raw NTLM from SPNEGO by the first bytes; only one of the two goes on. */
export class NegotiateAcceptor implements Acceptor {
  readonly #forms: NegotiateForms;
  readonly #strict: boolean;
  readonly #raw: NtlmAcceptor;
  readonly #wrapped: NtlmAcceptor;
  #mechTypes: Buffer | null = null;
  #micRequested = false;

  constructor(expected: NtlmPolicy, forms: NegotiateForms) {
    this.#forms = forms;
    this.#strict = expected.strict;
    this.#raw = new NtlmAcceptor(expected);
    this.#wrapped = new NtlmAcceptor(expected, true);
  }

  step(token: Buffer): AcceptorStep {
    if (ntlmMessageType(token) !== null) {
      return this.#forms.raw ? this.#raw.step(token) : refused('mechanism');
    }
    if (!this.#forms.wrapped) {
      return refused('mechanism');
    }
    return this.#mechTypes === null ? this.#begin(token) : this.#continue(this.#mechTypes, token);
  }

  #begin(token: Buffer): AcceptorStep {
    const init = readNegTokenInit(token);
    if (init === null) {
      return refused('malformed');
    }
    const rank = init.mechTypes.findIndex((mech) => mech.equals(NTLMSSP_OID));
    if (rank === -1) {
      return refused('mechanism');
    }
    this.#mechTypes = init.mechTypesDer;
    if (this.#forms.requestMic || rank > 0 || init.mechToken === null) {
      // The optimistic token belongs to another mechanism, or is not wanted: NTLM begins with the next leg.
      this.#micRequested = true;
      const negState = NEG_STATE.REQUEST_MIC;
      return { kind: 'challenge', token: writeNegTokenResp({ negState, namesMech: true }) };
    }
    return this.#challenge(init.mechToken, true);
  }

  #continue(mechTypes: Buffer, token: Buffer): AcceptorStep {
    const response = readNegTokenResp(token);
    if (response?.responseToken == null) {
      return refused('malformed');
    }
    if (ntlmMessageType(response.responseToken) === 1) {
      return this.#challenge(response.responseToken, false);
    }
    const verdict = this.#wrapped.verify(response.responseToken);
    if (!verdict.accepted) {
      return refused(verdict.reason, verdict.user);
    }
    if (!this.#isMicRight(verdict, mechTypes, response.mechListMic)) {
      return refused('mech-list-mic', verdict.account.id);
    }
    const mechListMic = response.mechListMic
      ? mechListSignature(verdict.sessionKey, 'server', mechTypes)
      : undefined;
    return {
      kind: 'accepted',
      account: verdict.account,
      token: writeNegTokenResp({
        negState: NEG_STATE.ACCEPT_COMPLETED,
        ...(mechListMic ? { mechListMic } : {}),
      }),
    };
  }

  #challenge(negotiate: Buffer, isFirstReply: boolean): AcceptorStep {
    const responseToken = this.#wrapped.challenge(negotiate);
    if (responseToken === null) {
      return refused('malformed');
    }
    const negState = NEG_STATE.ACCEPT_INCOMPLETE;
    // supportedMech belongs to the first reply alone (RFC 4178 section 4.2.2).
    const token = writeNegTokenResp({ negState, namesMech: isFirstReply, responseToken });
    return { kind: 'challenge', token };
  }

  /**
   * Windows acceptors want a mechListMIC whenever the NTLM message carries its own MIC; RFC 4178 wants it
   * after `request-mic`.
   */
  #isMicRight(
    verdict: Extract<NtlmVerdict, { accepted: true }>,
    mechTypes: Buffer,
    mic: Buffer | null,
  ): boolean {
    if (mic === null) {
      return !this.#strict || !(verdict.hasMic || this.#micRequested);
    }
    if (verdict.flags & FLAG.KEY_EXCH) {
      // Only a lenient acceptor comes here: the signature is sealed by RC4, which it does not have.
      return true;
    }
    const wanted = mechListSignature(verdict.sessionKey, 'client', mechTypes);
    return mic.length === wanted.length && timingSafeEqual(mic, wanted);
  }
}

function refused(reason: RefusalReason, user: string | null = null): AcceptorStep {
  return { kind: 'refused', reason, user };
}
