// Where the memory of logons lies. Owns its name.
import { findStatePlace } from '../../settings/state-path.ts';
import { StateFile } from './state-file.ts';

/** The file of this user; `null` where the environment names no place for it. */
export function openLogonFile(): StateFile | null {
  const place = findStatePlace();
  return place === undefined ? null : new StateFile(place, 'logons.json');
}
