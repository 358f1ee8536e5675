// How a command ends that has told its outcome itself: by a number, and no further word.

export class Ended extends Error {
  override readonly name = 'Ended';
  readonly exitCode: number;
  /** Whether something still stands that would hold up an orderly exit, and need not. */
  readonly isStuck: boolean;

  constructor(exitCode: number, isStuck = false) {
    super(`ended with ${exitCode}`);
    this.exitCode = exitCode;
    this.isStuck = isStuck;
  }
}
