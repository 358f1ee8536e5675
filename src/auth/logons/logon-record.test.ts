import { describe, expect, it } from 'vitest';
import type { LogonDocument } from './logon-record.ts';
import {
  emptyDocument,
  formatDocument,
  newRecord,
  parseDocument,
  withRecord,
} from './logon-record.ts';
import { refuse, UNPROVEN } from './logon-standing.ts';

const request = { realm: 'corp.example', account: 'CORP\\alice', place: 'proxy:1', secret: null };
const refused = { ...newRecord(request, 7), standing: refuse(UNPROVEN, 1000, 'proxy:1') };

describe('withRecord()', () => {
  it('makes a document that can be read again, whatever its number was', () => {
    for (const revision of [0, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER]) {
      const document: LogonDocument = { ...emptyDocument(), revision };
      const read = parseDocument(formatDocument(withRecord(document, refused, 1000)));
      expect(read?.logons).toEqual([refused]);
    }
  });
});

describe('parseDocument()', () => {
  it('takes no salt of more than 512 characters', () => {
    const { salt } = emptyDocument();
    const text = (written: string) => formatDocument({ ...emptyDocument(), salt: written });
    expect(parseDocument(text(salt))).not.toBeNull();
    expect(parseDocument(text(salt + '\n'.repeat(600)))).toBeNull();
  });
});
