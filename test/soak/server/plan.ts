// Who signs on in the soak of the local proxy, and how large things are.

export const ALICE = { name: 'alice', domain: 'CORP', password: 'Alice-Secret1' };
export const MAX_BYTES = 60_000;

/** What page or upload number `id` holds: no two of them are alike. */
export function contentOf(id: string, length: number): Buffer {
  return Buffer.alloc(length, `${id},`);
}
