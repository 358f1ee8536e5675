// Begins a session: which service name gets a ticket, and the first token. Owns the order of the names tried; sends
// nothing.
import { createSession } from '../auth/create-session.ts';
import type { Mechanism } from '../auth/mechanisms.ts';
import type { AuthSession } from '../auth/session.ts';
import type { SessionContext } from '../auth/session-context.ts';
import { isSallyportError } from '../errors/sallyport-error.ts';

/** The service names of one server. */
export interface ServiceNames {
  /** As configured, else `HTTP/<host as typed>`. */
  readonly typed: string;
  /** The one that got a ticket before, if it was another. */
  readonly known: string | null;
  /** Whether the canonical name goes first. */
  readonly prefersCanonical: boolean;
  /** `HTTP/<canonical name>`, where that may be tried; asks the name service. */
  canonical(): Promise<string | null>;
}

export interface Begun {
  readonly session: AuthSession;
  readonly token: Uint8Array | null;
  readonly spn: string;
}

/**
 * The first token under the first name the KDC knows.
 *
 * @throws SallyportError as `createSession` and `AuthSession.step`
 */
export async function beginSession(
  mechanism: Mechanism,
  context: Omit<SessionContext, 'spn'>,
  names: ServiceNames,
): Promise<Begun> {
  const preferred = names.prefersCanonical ? await names.canonical() : null;
  const first = names.known ?? preferred ?? names.typed;
  try {
    return await beginAs(mechanism, { ...context, spn: first });
  } catch (error) {
    if (!isSallyportError(error) || error.code !== 'SPN_UNKNOWN') {
      throw error;
    }
    const canonical = await names.canonical();
    if (canonical === null || canonical === first) {
      throw error;
    }
    return beginAs(mechanism, { ...context, spn: canonical });
  }
}

async function beginAs(mechanism: Mechanism, context: SessionContext): Promise<Begun> {
  const session = await createSession(mechanism, context);
  try {
    return { session, token: await session.step(null), spn: context.spn };
  } catch (error) {
    session[Symbol.dispose]();
    throw error;
  }
}
