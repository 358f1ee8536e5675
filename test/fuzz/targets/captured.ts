// Tokens that real clients and servers sent, as seeds. Owns the reading of `test/fixtures`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Transcript {
  readonly exchanges: readonly { readonly sent?: string; readonly received?: string }[];
}

const FIXTURE = join(process.cwd(), 'test', 'fixtures', 'transcripts.json');
const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1');

const transcripts = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Transcript[];

/** All tokens, as they were inside HTTP; each once. */
export const CAPTURED_TOKENS: readonly Buffer[] = [
  ...new Set(
    transcripts.flatMap(({ exchanges }) =>
      exchanges.flatMap(({ sent, received }) => [sent, received]),
    ),
  ),
]
  .filter((token) => token !== undefined)
  .map((token) => Buffer.from(token, 'base64'));

/** Raw NTLM messages of a type; those inside SPNEGO are cut out. */
export function capturedNtlm(type: 1 | 2 | 3): Buffer[] {
  return CAPTURED_TOKENS.map((token) => token.subarray(token.indexOf(SIGNATURE))).filter(
    (token) => token.subarray(0, 8).equals(SIGNATURE) && token[8] === type,
  );
}

/** Tokens of SPNEGO. */
export const CAPTURED_SPNEGO: readonly Buffer[] = CAPTURED_TOKENS.filter(([first]) =>
  [0x60, 0xa0, 0xa1].includes(first ?? 0),
);
