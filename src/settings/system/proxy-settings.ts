// What every system's proxy settings come down to. Owns the type the three readers share, nothing else.

/** The proxy settings of an operating system or desktop, as it has them. */
export interface SystemProxy {
  /** As the user would look for it: `Windows settings`, `Windows policy settings`, `WinHTTP settings`, `macOS settings`, `GNOME settings`. */
  readonly name: string;
  /** `host:port`, possibly with a scheme; for http targets. */
  readonly httpProxy?: string | undefined;
  /** The same for https targets. */
  readonly httpsProxy?: string | undefined;
  /** Hosts that need no proxy, as they were written. */
  readonly bypass?: readonly string[] | undefined;
  /**
   * `patterns` (Windows, macOS): `corp.example` is one host, and `*` stands for any characters.
   * `domains` (GNOME): `corp.example`, `.corp.example` and `*.corp.example` are the domain and everything below it.
   */
  readonly bypassDialect?: 'patterns' | 'domains' | undefined;
  /** Whether names without a dot need no proxy: `<local>` of Windows. */
  readonly bypassLocal?: boolean | undefined;
  readonly pacUrl?: string | undefined;
  /** Whether the proxy is to be found by WPAD. */
  readonly autoDetect?: boolean | undefined;
  /** Why these settings are not, or not wholly, known: a clause for people. */
  readonly problem?: string | undefined;
}
