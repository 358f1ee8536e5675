// What takes the bytes of a download. Owns the contract only; which one it is, `choose-destination.ts` decides.
import type { PartRecord } from './part-record.ts';

/** Takes the bytes of one download, over all its tries. */
export interface Destination {
  /** Where unfinished bytes lie; `null` where they are gone. */
  readonly part: string | null;
  /** Bytes that are in it. */
  readonly length: number;
  /** What they are, when that is known. */
  readonly record: PartRecord | null;
  /** Whether bytes that are in it can be taken back. */
  readonly canStartOver: boolean;
  /**
   * Takes whatever is there back, and notes what comes next.
   *
   * @param signal ends what may last, such as a pipe whose reader does not come
   * @throws SallyportError OUTPUT_FAILED; AbortError
   */
  begin(record: PartRecord, signal: AbortSignal): Promise<void>;
  /** @returns what to wait for before the next piece. @throws SallyportError OUTPUT_FAILED */
  write(piece: Uint8Array): Promise<void> | undefined;
  /** The bytes that are in it already. @throws SallyportError OUTPUT_FAILED */
  read(): AsyncIterable<Uint8Array>;
  /** Waits until all of it is written. @throws SallyportError OUTPUT_FAILED */
  flush(): Promise<void>;
  /** It is complete: it gets its name. @throws SallyportError OUTPUT_FAILED */
  complete(): Promise<void>;
  /** What is in it is wrong: never goes on from there. */
  reject(): void;
  /** It is still at work, though no byte comes. */
  touch(): void;
  /** Lets go of it. What is in it and not complete stays. */
  close(): Promise<void>;
}
