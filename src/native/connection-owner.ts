// Whose program is at the other end of a connection on loopback, as the operating system knows it. Owns which way of asking
// this platform has; whether that user may come in is `server/`'s.
import { LibprocOwners } from './libproc-owners.ts';
import { LinuxOwners } from './linux-owners.ts';
import type { OwnerLookup, UserId } from './loopback-ends.ts';
import { userOfProcess } from './windows-account.ts';
import { WindowsOwners } from './windows-owners.ts';

/**
 * The way of this platform.
 *
 * @throws SallyportError SIGN_ON_UNAVAILABLE where there is no FFI and nothing to do without
 */
export function openOwnerLookup(): OwnerLookup {
  if (process.platform === 'win32') {
    return new WindowsOwners();
  }
  return process.platform === 'darwin' ? LibprocOwners.open() : new LinuxOwners();
}

/** This process's own user, as the look-up would name it; `null` when even that is not told. */
export function ownUserId(): UserId | null {
  return process.platform === 'win32' ? userOfProcess('own') : String(process.geteuid?.());
}
