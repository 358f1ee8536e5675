// A route in one line of text: where to, and who said so.
import type { Route } from '../route/route.ts';
import { formatProxyUrl } from '../route/route.ts';

export function describeRoute(route: Route): string {
  if (route.kind === 'proxy') {
    return `${formatProxyUrl(route.proxy)} (from ${route.source.name})`;
  }
  if (route.note !== undefined) {
    return `direct: ${route.note}`;
  }
  return route.bypass === undefined
    ? `direct (${route.source.name})`
    : `direct (${route.bypass.source.name} has ${route.bypass.entry})`;
}

/** The same for `--json`. */
export function routeJson(route: Route): Record<string, unknown> {
  return {
    kind: route.kind,
    ...(route.kind === 'proxy' ? { proxy: formatProxyUrl(route.proxy) } : {}),
    source: route.source,
    ...(route.kind === 'direct' && route.bypass !== undefined ? { bypass: route.bypass } : {}),
    ...(route.kind === 'direct' && route.note !== undefined ? { note: route.note } : {}),
  };
}
