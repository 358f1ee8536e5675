// The route to the URL, and who named it. Asks no network.
import type { Route } from '../../route/route.ts';
import { formatProxyUrl } from '../../route/route.ts';
import { targetName } from '../../upstream/target.ts';
import type { Check } from '../examination.ts';
import type { Finding } from '../findings.ts';
import { finding } from '../findings.ts';

export const routeCheck: Check = {
  id: 'route',
  doing: 'finding the route',
  limitMs: 5000,
  isOnTheWay: true,
  skip: () => null,
  run: async (exam) => {
    const route = exam.settings.routeFor(exam.url);
    exam.route = route;
    return [describe(route, targetName(exam.target))];
  },
};

function describe(route: Route, target: string): Finding {
  const { source } = route;
  if (route.kind === 'proxy') {
    const proxy = formatProxyUrl(route.proxy);
    return finding('route', 'ok', `${target} goes through ${proxy}, named by ${source.name}`, {
      data: { kind: 'proxy', proxy, source },
    });
  }
  const { bypass, note } = route;
  const data = { kind: 'direct', source, ...(bypass && { bypass }), ...(note && { note }) };
  if (note !== undefined) {
    return finding('route', 'note', `${target} is reached directly: ${note}`, {
      next: 'If there is a proxy, name it with --proxy.',
      data,
    });
  }
  if (bypass !== undefined) {
    const { entry, source: list } = bypass;
    return finding(
      'route',
      'ok',
      `${target} is reached directly: ${list.name} has ${entry}, past the proxy named by ${source.name}`,
      { data },
    );
  }
  return source.kind === 'default'
    ? finding('route', 'note', `${target} is reached directly: nobody names a proxy`, {
        next: 'If there is a proxy, name it with --proxy or HTTPS_PROXY.',
        data,
      })
    : finding('route', 'ok', `${target} is reached directly, as ${source.name} says`, { data });
}
