import { expect, it } from 'vitest';
import { rememberRoutes } from './remembered-routes.ts';
import type { Route } from './route.ts';

const DIRECT: Route = { kind: 'direct', source: { kind: 'default', name: 'default' } };

function counted() {
  const asked: string[] = [];
  const routeFor = rememberRoutes((url) => {
    asked.push(url.href);
    return { ...DIRECT };
  });
  return { asked, routeFor };
}

it('finds the route of an origin once, whatever the path', () => {
  const { asked, routeFor } = counted();
  const first = routeFor(new URL('http://a.example/1'));
  expect(routeFor(new URL('http://a.example/2?3'))).toBe(first);
  expect(asked).toEqual(['http://a.example/1']);
});

it('tells schemes and ports apart', () => {
  const { asked, routeFor } = counted();
  for (const url of ['http://a.example/', 'https://a.example/', 'http://a.example:81/']) {
    routeFor(new URL(url));
  }
  expect(asked).toHaveLength(3);
});

it('asks again for an address with a user name, which is refused each time', () => {
  const { asked, routeFor } = counted();
  routeFor(new URL('http://a.example/'));
  routeFor(new URL('http://bob:x@a.example/'));
  routeFor(new URL('http://bob@a.example/'));
  expect(asked).toHaveLength(3);
});

it('forgets the origin it found first, not the last ones', () => {
  const { asked, routeFor } = counted();
  for (let at = 0; at <= 1024; at += 1) {
    routeFor(new URL(`http://a${at}.example/`));
  }
  routeFor(new URL('http://a1024.example/'));
  expect(asked).toHaveLength(1025);
  routeFor(new URL('http://a0.example/'));
  expect(asked).toHaveLength(1026);
});
