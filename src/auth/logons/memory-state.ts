// Whether refusals can be remembered for other commands of this user. Owns the telling; what is remembered is
// `shared-logons.ts`'s, to which a file that cannot be used is no error.
import { errorWord } from '../../errors/error-word.ts';
import { openLogonFile } from './logon-file.ts';
import type { StateFile } from './state-file.ts';

/**
 * Tries the file as a sign-on would, lock and folder included; changes nothing in it.
 *
 * @returns why it cannot be used, as `FOLDER: EACCES`; `null` when it can
 */
export async function findMemoryFault(
  file: StateFile | null = openLogonFile(),
): Promise<string | null> {
  if (file === null) {
    return 'the environment names no home folder for it';
  }
  try {
    await file.read();
    await file.change(() => [null, undefined]);
    return null;
  } catch (error) {
    const word = errorWord(error);
    return word.includes(file.path) ? word : `${file.path}: ${word}`;
  }
}
