// The local proxy in the words of Java, which reads no HTTP_PROXY. Owns the spelling for JAVA_TOOL_OPTIONS.

/** Programs that are Java, or start one. */
const JAVA_PROGRAMS = new Set(['java', 'javaw', 'mvn', 'mvnw', 'gradle', 'gradlew', 'sbt', 'ant']);

/** By the last part of its path, without `.exe`, `.cmd` or `.bat`. */
export function isJavaProgram(command: string): boolean {
  return JAVA_PROGRAMS.has(programName(command));
}

/** `C:\tools\Gradle.BAT` -> `gradle` */
export function programName(command: string): string {
  const [name = ''] = command.split(/[/\\]/).slice(-1);
  return name.replace(/\.(?:exe|com|cmd|bat)$/i, '').toLowerCase();
}

/**
 * System properties. There is none for the token: the local proxy must know these programs by their user.
 *
 * @param noProxy plain names, addresses and `.suffix`
 */
export function javaOptions(proxyUrl: string, noProxy: readonly string[]): string {
  const { hostname, port } = new URL(proxyUrl);
  const around = noProxy.map(javaPattern).join('|');
  return [
    ...['http', 'https'].flatMap((scheme) => [
      `-D${scheme}.proxyHost=${hostname}`,
      `-D${scheme}.proxyPort=${port}`,
    ]),
    // It counts for https, too.
    `-Dhttp.nonProxyHosts=${around}`,
  ].join(' ');
}

function javaPattern(entry: string): string {
  if (entry.startsWith('.')) {
    return `*${entry}`;
  }
  return entry.includes(':') ? `[${entry}]` : entry;
}
