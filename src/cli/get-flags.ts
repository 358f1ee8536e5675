// The flags of `get` as they were typed. Owns their names.
import type { CommonFlags } from './flags.ts';

export interface GetFlags extends CommonFlags {
  readonly output?: string;
  readonly header?: readonly string[];
  readonly continue?: true;
  readonly sha256?: string;
  readonly retry?: number;
  readonly maxTime?: number;
  readonly uploadFile?: string;
  readonly method?: string;
}
