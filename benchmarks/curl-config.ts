// What curl is told, as its configuration file has it: by standard input, because a password is no argument.

export interface CurlTask {
  readonly url: string;
  readonly proxy: string;
  /** `null` for the signed-in one; left out where nobody signs on. */
  readonly user?: { readonly typed: string; readonly password: string } | null;
  /** As its long options are called, without their dashes. */
  readonly flags?: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
  /** Where the body goes; default nowhere. */
  readonly output?: string;
  readonly writeOut: string;
}

export function curlConfig(task: CurlTask): string {
  const { url, proxy, user, flags = [], settings = {}, output = '/dev/null', writeOut } = task;
  const named: Readonly<Record<string, string>> = {
    url,
    proxy,
    // Else it passes the proxy by for what the environment names.
    noproxy: '',
    output,
    'write-out': writeOut,
    ...(user === undefined ? {} : { 'proxy-user': credentialsOf(user) }),
    ...settings,
  };
  const lines = Object.entries(named).map(([name, value]) => `${name} = ${quote(value)}`);
  return [...lines, ...flags, 'silent'].join('\n');
}

function credentialsOf(user: NonNullable<CurlTask['user']> | null): string {
  return user === null ? ':' : `${user.typed}:${user.password}`;
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
