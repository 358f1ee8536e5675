// The AV pairs of our answer (MS-NLMP 3.1.5.1.2): the server's, and ours about MIC, channel binding and SPN. Owns the rule
// that a server never speaks for us about the last two.
import type { AvPair } from './av-pairs.ts';
import { AV_ID, findAvValue } from './av-pairs.ts';
import type { ChallengeMessage } from './challenge-message.ts';
import { utf16le } from './text.ts';

/** Bit of MsvAvFlags: the AUTHENTICATE message carries a MIC. */
const MIC_PRESENT = 0x02;

const OURS: ReadonlySet<number> = new Set([AV_ID.FLAGS, AV_ID.TARGET_NAME, AV_ID.CHANNEL_BINDINGS]);
const NO_CHANNEL_BINDING = new Uint8Array(16);

/**
 * The list to answer with: what the server sent, in its order, then Flags, ChannelBindings and TargetName as Windows
 * puts them. Empty for a server without target information.
 *
 * @param own.spn `HTTP/host`, or `''` to tell none
 * @param own.channelBinding 16 bytes, or `null` without TLS
 */
export function answerTargetInfo(
  challenge: Pick<ChallengeMessage, 'targetInfo' | 'timestamp'>,
  own: { readonly spn: string; readonly channelBinding: Uint8Array | null },
): AvPair[] {
  const { targetInfo, timestamp } = challenge;
  if (targetInfo === null) {
    return [];
  }
  return [
    ...targetInfo.filter(({ id }) => !OURS.has(id)),
    ...answerFlags(findAvValue(targetInfo, AV_ID.FLAGS), timestamp !== null),
    { id: AV_ID.CHANNEL_BINDINGS, value: own.channelBinding ?? NO_CHANNEL_BINDING },
    { id: AV_ID.TARGET_NAME, value: new Uint8Array(utf16le(own.spn)) },
  ];
}

/** Tells whether a list announces a MIC. */
export function announcesMic(pairs: readonly AvPair[]): boolean {
  const flags = findAvValue(pairs, AV_ID.FLAGS);
  return flags !== undefined && ((flags[0] ?? 0) & MIC_PRESENT) !== 0;
}

/** The server's other bits are kept; the pair is left out where neither side has anything to say. */
function answerFlags(fromServer: Uint8Array | undefined, mic: boolean): AvPair[] {
  if (fromServer === undefined && !mic) {
    return [];
  }
  const value = Uint8Array.from(fromServer ?? [0, 0, 0, 0]);
  const low = value[0] ?? 0;
  value[0] = mic ? low | MIC_PRESENT : low & ~MIC_PRESENT;
  return [{ id: AV_ID.FLAGS, value }];
}
