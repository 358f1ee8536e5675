// Routes by origin, found once: what has a say in them does not change while a client lives. Owns that memory and its limit.
import type { Route } from './route.ts';

/** Origins a client is likely to go back to; the one that was found first is forgotten. */
const MAX_ORIGINS = 1024;

/** @param find is asked again for an address it refused, and for one with a user name in it */
export function rememberRoutes(find: (url: URL) => Route): (url: URL) => Route {
  const routes = new Map<string, Route>();
  return (url) => {
    if (url.username !== '' || url.password !== '') {
      return find(url);
    }
    const key = `${url.protocol}${url.host}`;
    const known = routes.get(key);
    if (known !== undefined) {
      return known;
    }
    const route = find(url);
    if (routes.size >= MAX_ORIGINS) {
      const [oldest = ''] = routes.keys();
      routes.delete(oldest);
    }
    routes.set(key, route);
    return route;
  };
}
