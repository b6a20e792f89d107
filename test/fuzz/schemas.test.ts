import { expect, it } from 'vitest';
import { ACTIONS } from '../../worker/compute/servers/action-routes.ts';
import { bodiesOf } from './bodies-of.ts';
import { readCorpus } from './corpus.ts';
import { QUERIES } from './queries.ts';
import { allRoutes, nameOf } from './routes.ts';
import { bodyOfRoute } from './schemas.ts';
import { actionBodies } from './server-actions.ts';

/** Lists that are whole, whatever is asked. */
const UNFILTERED = /\/(extensions|quotas|rule-types)$/;
const corpus = readCorpus();
const withBody = allRoutes().filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method));

it('knows what each route takes for its body', () => {
  expect(withBody.map(nameOf).filter((name) => bodyOfRoute(name) === undefined)).toEqual([]);
});

it('has a value for each member of each body', () => {
  for (const route of withBody) expect(() => bodiesOf(route, corpus), nameOf(route)).not.toThrow();
});

it('knows the body of each action of a server', () => {
  expect(Object.keys(actionBodies(96)).toSorted()).toEqual(Object.keys(ACTIONS).toSorted());
});

it('has queries of routes that are there', () => {
  const names = new Set(allRoutes().map(nameOf));
  expect([...QUERIES.keys()].filter((name) => !names.has(name))).toEqual([]);
});

it('has a query of each list of networks', () => {
  const lists = allRoutes().filter(
    ({ method, path }) =>
      method === 'GET' && /^\/networking\/v2\.0\/(qos\/)?[a-z-]+$/.test(path) && !UNFILTERED.test(path),
  );
  expect(lists.map(nameOf).filter((name) => !QUERIES.has(name))).toEqual([]);
});
