// What a setting of cntlm or px is in Sallyport's configuration file, and why another one is nothing there. No password and no hash
// is ever taken or repeated.
import { SallyportError } from '../../errors/sallyport-error.ts';
import { parseProxyUrl } from '../../route/proxy-url.ts';
import { translatePatterns } from './bypass-patterns.ts';
import type { ForeignProgram, ForeignSetting } from './foreign-file.ts';

export interface ImportRow {
  readonly line: number;
  readonly name: string;
  /** Keys of our file; none when nothing was taken. */
  readonly keys: readonly string[];
  /** What was not, and why; empty when all was taken as it was. */
  readonly note: string;
}

/** The content of our file. */
export interface ImportedConfiguration {
  proxy?: string;
  user?: string;
  noProxy?: string[];
  auth?: string[];
  serve?: { listen: string };
}

export interface Translation {
  readonly rows: readonly ImportRow[];
  readonly configuration: ImportedConfiguration;
}

type Meaning = 'user' | 'domain' | 'proxy' | 'noProxy' | 'listen' | 'port' | 'auth';

const MEANINGS: Readonly<Record<ForeignProgram, Readonly<Record<string, Meaning>>>> = {
  cntlm: {
    username: 'user',
    domain: 'domain',
    proxy: 'proxy',
    noproxy: 'noProxy',
    listen: 'listen',
  },
  px: {
    server: 'proxy',
    noproxy: 'noProxy',
    listen: 'listen',
    port: 'port',
    username: 'user',
    auth: 'auth',
  },
};

const SCHEMES: ReadonlySet<string> = new Set(['negotiate', 'ntlm', 'digest', 'basic']);
/** Empty: none was named. */
const LOOPBACK: ReadonlySet<string> = new Set(['', '127.0.0.1', 'localhost', '::1']);
const PASSWORD = /pass|secret|socks5user/i;
const NO_PASSWORD =
  'a password stays out of files. Store it in the keyring: sallyport login; or give it in SALLYPORT_PASSWORD';
const NO_HASH =
  'a hash signs on like the password it was made of, and cannot be taken back from a file that was copied. Store the password in the keyring: sallyport login';
const OTHER_MACHINES =
  'it would open the port to other machines. If you want that, set "listen" and "allow" of "serve" yourself: they get in with the token';
const ITS_OWN = 'Sallyport decides this by itself';

/** By name, in lower case. */
const REASONS: Readonly<Record<string, string>> = {
  auth: 'NTLM answers are always NTLMv2, and what the proxy offers decides the rest',
  flags: ITS_OWN,
  workstation: ITS_OWN,
  gateway: OTHER_MACHINES,
  hostonly: OTHER_MACHINES,
  allow: OTHER_MACHINES,
  deny: 'nobody is let in who is not allowed',
  socks5proxy: 'there is no SOCKS here',
  tunnel: 'there are no fixed tunnels here: sallyport run gives a program the proxy',
  header: 'requests go out with the headers of the program that makes them',
  useragent: 'requests go out with the headers of the program that makes them',
  isascannersize: 'pages of virus scanners reach the program as they come',
  isascanneragent: 'pages of virus scanners reach the program as they come',
  pac: 'a PAC file is taken from the settings of the operating system, not from this file',
  pac_encoding: 'a PAC file is taken from the settings of the operating system, not from this file',
  log: 'it names another kind of log. See "log" and "logLevel" of "serve"',
  foreground: 'serve stays in the foreground; a service manager starts it in the background',
};

/** What a setting became: keys of ours, and what was not taken of it, and why. */
type Fate = Pick<ImportRow, 'keys' | 'note'>;

/**
 * @param path for messages
 * @returns a row for each setting, in order
 * @throws SallyportError CONFIG_INVALID or PROXY_URL_INVALID when a proxy or a port cannot be understood
 */
export function translate(
  path: string,
  program: ForeignProgram,
  settings: readonly ForeignSetting[],
): Translation {
  const translator = new Translator(path, program, settings);
  const rows = settings.map((setting) => {
    const { line, name } = setting;
    return { line, name, ...translator.take(setting) };
  });
  return { rows, configuration: translator.configuration };
}

class Translator {
  readonly configuration: ImportedConfiguration = {};
  readonly #path: string;
  readonly #program: ForeignProgram;
  readonly #settings: readonly ForeignSetting[];

  constructor(path: string, program: ForeignProgram, settings: readonly ForeignSetting[]) {
    this.#path = path;
    this.#program = program;
    this.#settings = settings;
  }

  take(setting: ForeignSetting): Fate {
    if (setting.value === '') {
      return notTaken('it is empty');
    }
    const meaning = this.#meaningOf(setting);
    switch (meaning) {
      case undefined:
        return notTaken(reasonFor(setting));
      case 'proxy':
        return this.#takeProxy(setting);
      case 'noProxy':
        return this.#takePatterns(setting);
      case 'auth':
        return this.#takeScheme(setting);
      case 'user':
      case 'domain':
        return this.#takeUser(setting, meaning);
      case 'listen':
      case 'port':
        return this.#takePort(setting, meaning);
    }
  }

  #meaningOf({ name }: ForeignSetting): Meaning | undefined {
    return PASSWORD.test(name) ? undefined : MEANINGS[this.#program][name.toLowerCase()];
  }

  #first(meaning: Meaning): ForeignSetting | undefined {
    return this.#settings.find(
      (setting) => setting.value !== '' && this.#meaningOf(setting) === meaning,
    );
  }

  /** Of several, the first; Sallyport has one proxy. */
  #takeProxy(setting: ForeignSetting): Fate {
    if (this.configuration.proxy !== undefined) {
      return notTaken('one proxy can be named, the first; a PAC file of the system may have more');
    }
    const [text = '', ...others] = setting.value.split(',').map((one) => one.trim());
    const url = text.includes('://') ? text : `http://${text}`;
    if (/[@\s]/.test(url)) {
      throw this.#wrong(setting, 'is no host:port');
    }
    parseProxyUrl(url, `${this.#path}:${setting.line}`);
    this.configuration.proxy = url;
    return taken('proxy', others.length === 0 ? '' : 'the first of them, without the others');
  }

  #takePatterns(setting: ForeignSetting): Fate {
    const patterns = translatePatterns(setting.value);
    this.configuration.noProxy = [...(this.configuration.noProxy ?? []), ...patterns.taken];
    const left = patterns.notTaken.join(' ');
    if (patterns.taken.length === 0) {
      return notTaken(`${left} has no counterpart`);
    }
    return taken('noProxy', left === '' ? '' : `without ${left}, which has no counterpart`);
  }

  #takeScheme(setting: ForeignSetting): Fate {
    const scheme = setting.value.toLowerCase();
    if (!SCHEMES.has(scheme)) {
      return notTaken('what the proxy offers decides');
    }
    this.configuration.auth = [scheme];
    return taken('auth');
  }

  #takeUser(setting: ForeignSetting, meaning: Meaning): Fate {
    const name = this.#first('user')?.value;
    if (name === undefined) {
      return notTaken('there is no user beside it');
    }
    if (setting !== this.#first(meaning)) {
      return notTaken('the first one counts');
    }
    const domain = this.#first('domain')?.value;
    this.configuration.user = domain === undefined ? name : `${domain}\\${name}`;
    return taken('user', 'without it, whoever is signed in to this machine signs on');
  }

  /** cntlm has `[address:]port`, px a key for each; without a port both mean 3128. */
  #takePort(setting: ForeignSetting, meaning: Meaning): Fate {
    if (setting !== this.#first(meaning)) {
      return notTaken('one port is listened on, the first');
    }
    const isPort = /^\d+$/.test(setting.value);
    const match = /^(.*):(\d+)$/.exec(setting.value);
    const host = isPort ? '' : (match?.[1] ?? setting.value).replace(/^\[|\]$/g, '');
    const port = isPort ? setting.value : (match?.[2] ?? this.#first('port')?.value ?? '3128');
    if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
      throw this.#wrong(setting, 'has no port from 1 to 65535');
    }
    if (!LOOPBACK.has(host)) {
      return notTaken(OTHER_MACHINES);
    }
    this.configuration.serve = { listen: port };
    return taken('serve.listen');
  }

  #wrong({ line, name }: ForeignSetting, what: string): SallyportError {
    return new SallyportError('CONFIG_INVALID', `${this.#path}:${line} ${name} ${what}`, {
      hint: 'Nothing was written.',
    });
  }
}

function taken(key: string, note = ''): Fate {
  return { keys: [key], note };
}

function notTaken(note: string): Fate {
  return { keys: [], note };
}

function reasonFor({ name }: ForeignSetting): string {
  if (PASSWORD.test(name)) {
    return /^pass(?:lm|nt|ntlmv2)$/i.test(name) ? NO_HASH : NO_PASSWORD;
  }
  return REASONS[name.toLowerCase()] ?? 'there is nothing like it here';
}
