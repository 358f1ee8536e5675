// Takes file paths of this machine out of a report: they name the user, and say nothing of the network. Names of users and
// hosts stay: a report is about them.
import type { Route } from '../route/route.ts';

const CONFIGURATION = 'the configuration file';
const PATHS = [
  // C:\Users\..., up to what no name can have; \\server\share\...
  /(?<![\w\\])(?:[a-z]:\\|\\\\[^\\\s]+\\)[^:*?"<>|\r\n]*/gi,
  // /home/..., after a blank, a quote, a bracket, or a type such as FILE:
  /(?<=^|[\s("'=,;[]|\b(?:FILE|DIR|WRFILE|KEYTAB):)\/[^\s"'(),;:]+/g,
];

/** The same report, with every path in its texts replaced. */
export function withoutPaths<T>(report: T, route: Route | null): T {
  const configuration = configurationPath(route);
  return mapTexts(report, (text) => {
    const named = configuration === null ? text : text.replaceAll(configuration, CONFIGURATION);
    return PATHS.reduce((rest, path) => rest.replaceAll(path, '[file]'), named);
  }) as T;
}

/** The source of such a route is `PATH: key`, and a path may have blanks. */
function configurationPath(route: Route | null): string | null {
  const sources = route === null ? [] : [route.source, bypassSource(route) ?? route.source];
  const found = sources.find(({ kind }) => kind === 'configuration');
  return found === undefined ? null : found.name.replace(/: \w+$/, '');
}

function bypassSource(route: Route): Route['source'] | undefined {
  return route.kind === 'direct' ? route.bypass?.source : undefined;
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') {
    return change(value);
  }
  if (Array.isArray(value)) {
    return value.map((member) => mapTexts(member, change));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, mapTexts(member, change)]),
    );
  }
  return value;
}
