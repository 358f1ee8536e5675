// Names of users and their ids: what `allowUsers` means, and how a page calls somebody. Owns the reading of /etc/passwd; users of
// a directory are known by their number.
import { readFileSync } from 'node:fs';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { UserId } from '../native/loopback-ends.ts';

const PASSWD = '/etc/passwd';

/**
 * @param words names or uids
 * @throws SallyportError OPTION_INVALID for a name that is not known here, or where only the own user can be told
 */
export function idsOfUsers(
  words: readonly string[],
  platform: NodeJS.Platform = process.platform,
  passwd: string = PASSWD,
): UserId[] {
  if (words.length > 0 && platform !== 'linux') {
    throw new SallyportError('OPTION_INVALID', '--allow-user works on Linux only', {
      hint: 'Here the system tells a user of its own programs alone. Others need the token.',
    });
  }
  return words.map((word) => {
    const id = /^\d{1,10}$/.test(word) ? String(Number(word)) : findId(word, passwd);
    if (id === undefined) {
      throw new SallyportError('OPTION_INVALID', `--allow-user: there is no user "${word}" here`, {
        hint: `Give the number that "id -u ${word}" prints: users of a directory are not in ${PASSWD}.`,
      });
    }
    return id;
  });
}

/** `alice (uid 1000)`, or `uid 1000`; a SID stands for itself. */
export function describeUser(id: UserId, passwd: string = PASSWD): string {
  if (!/^\d+$/.test(id)) {
    return id;
  }
  const name = nameOfUser(id, passwd);
  return name === id ? `uid ${id}` : `${name} (uid ${id})`;
}

/** The id itself where no name is known. */
export function nameOfUser(id: UserId, passwd: string = PASSWD): string {
  return rows(passwd).find(([, , uid]) => uid === id)?.[0] ?? id;
}

function findId(name: string, passwd: string): UserId | undefined {
  return rows(passwd).find(([other]) => other === name)?.[2];
}

/** name:password:uid:... (passwd(5)). */
function rows(passwd: string): string[][] {
  try {
    return readFileSync(passwd, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}
