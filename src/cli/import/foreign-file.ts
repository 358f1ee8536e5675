// The lines of another proxy's configuration file: cntlm's `Keyword value`, px's `key = value`. Owns the two forms and their limits;
// what a setting means is `translate.ts`'s. Values of lines that cannot be read are not shown: one may be a password.
import { SallyportError } from '../../errors/sallyport-error.ts';

export type ForeignProgram = 'cntlm' | 'px';

export interface ForeignSetting {
  /** From 1. */
  readonly line: number;
  /** Without brackets, in lower case; empty in front of the first. */
  readonly section: string;
  /** As it stands there. */
  readonly name: string;
  readonly value: string;
}

/** What people write by hand has some kilobytes. */
export const MAX_FOREIGN_BYTES = 256 * 1024;
const MAX_LINES = 5_000;
const MAX_LINE_LENGTH = 4_096;

const SECTION = /^\[([A-Za-z0-9_ -]{1,40})\]$/;
/** Quotes keep white space, `#` and `;`; there are no escapes. */
const CNTLM_LINE = /^([A-Za-z][A-Za-z0-9]{0,39})\s+(?:"([^"]*)"|([^\s"#;=][^#;]*))\s*(?:[#;].*)?$/;
const PX_LINE = /^([A-Za-z][A-Za-z0-9_]{0,39})\s*[=:]\s*(.*)$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is to find
const NO_TEXT = /[\0-\x08\x0b-\x1f\x7f\ufffd]/;

/**
 * @param path for messages
 * @throws SallyportError CONFIG_INVALID, which names the line
 */
export function readForeignFile(
  path: string,
  program: ForeignProgram,
  bytes: Uint8Array,
): readonly ForeignSetting[] {
  const lines = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  if (lines.length > MAX_LINES) {
    throw invalid(path, MAX_LINES, `has more than ${MAX_LINES} lines`);
  }
  const settings: ForeignSetting[] = [];
  let section = '';
  for (const [index, full] of lines.entries()) {
    const line = index + 1;
    if (full.length > MAX_LINE_LENGTH || NO_TEXT.test(full)) {
      throw invalid(path, line, 'is no line of text');
    }
    const text = full.trim();
    const named = SECTION.exec(text)?.[1];
    if (named !== undefined) {
      section = named.toLowerCase();
    } else if (text !== '' && !/^[#;]/.test(text)) {
      settings.push({ line, section, ...parseLine(path, line, program, text) });
    }
  }
  return settings;
}

function parseLine(
  path: string,
  line: number,
  program: ForeignProgram,
  text: string,
): Pick<ForeignSetting, 'name' | 'value'> {
  const [, name, ...values] = (program === 'cntlm' ? CNTLM_LINE : PX_LINE).exec(text) ?? [];
  if (name === undefined) {
    const form = program === 'cntlm' ? 'Keyword value' : 'key = value';
    throw invalid(path, line, `is no line of ${program}, which have the form "${form}"`);
  }
  return { name, value: (values.find((value) => value !== undefined) ?? '').trim() };
}

function invalid(path: string, line: number, what: string): SallyportError {
  return new SallyportError('CONFIG_INVALID', `${path}:${line} ${what}`, {
    hint: 'Nothing was written. Name a cntlm.conf or a px.ini, and say which with --from.',
  });
}
