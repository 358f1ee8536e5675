// `sallyport retry`: what was refused may be tried again. Owns the forgetting, in the memory all processes share.
import { openLogonFile } from './logon-file.ts';
import type { LogonRecord } from './logon-record.ts';
import { formatDocument, nextRevision, parseDocument } from './logon-record.ts';
import { isClosed } from './logon-standing.ts';
import type { StateFile } from './state-file.ts';

/**
 * Forgets the refusals in these realms, whoever was refused. Running processes hear of it at their next sign-on.
 *
 * @returns how many there were, and whose
 * @throws Error when the file cannot be changed
 */
export async function forgetRefusals(
  realms: readonly string[],
  file: StateFile | null = openLogonFile(),
  now: number = Date.now(),
): Promise<{ readonly forgotten: number; readonly accounts: readonly string[] }> {
  if (file === null || (await file.read()) === '') {
    return { forgotten: 0, accounts: [] };
  }
  return file.change((text) => {
    const document = parseDocument(text);
    const isShut = ({ realm, standing }: LogonRecord): boolean =>
      realms.includes(realm) && (standing.verdict === 'refused' || isClosed(standing, now));
    const shut = document?.logons.filter(isShut) ?? [];
    const accounts = [...new Set(shut.map(({ account }) => account))];
    if (document === null || shut.length === 0) {
      return [null, { forgotten: 0, accounts }];
    }
    const logons = document.logons.filter((record) => !isShut(record));
    const next = formatDocument({ ...document, revision: nextRevision(document), logons });
    return [next, { forgotten: shut.length, accounts }];
  });
}
