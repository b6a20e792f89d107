import { expect, test } from 'vitest';
import { ownEndpoints, ownServices } from '../catalog/catalog.ts';
import { fits, permits } from './permits.ts';

test.each([
  ['/v2.1/servers', '/v2.1/servers', true],
  ['/v2.1/servers', '/v2.1/servers/1', false],
  ['/v2.1/servers', '/v2x1/servers', false],
  ['/v2.1/servers/*', '/v2.1/servers/1', true],
  ['/v2.1/servers/*', '/v2.1/servers/', false],
  ['/v2.1/servers/*', '/v2.1/servers/1/ips', false],
  ['/v2.1/servers/{server_id}/ips', '/v2.1/servers/1/ips', true],
  ['/v2.1/servers/*/ips', '/v2.1/servers/1/2/ips', false],
  ['/v2.1/**', '/v2.1/servers/1/ips', true],
  ['/v2.1/**', '/v2.1/', true],
  ['/v2.1/**', '/v2.1', false],
  ['**', '/anything/at/all', true],
  ['/a**b**c', '/a/b/c', true],
  ['/a**b**c', '/a/c/b', false],
  ['/x/pre*', '/x/prefix', true],
])('%s and %s: %s', (pattern, path, fit) => {
  expect(fits(pattern, path)).toBe(fit);
});

test('a pattern that would keep a regular expression busy for years is done at once', () => {
  const began = performance.now();
  expect(fits('/**a'.repeat(50), `/${'a'.repeat(2_000)}`)).toBe(false);
  expect(performance.now() - began).toBeLessThan(2_000);
});

const rule = (service: string, method: string, path: string) => ({ id: 'r', service, method, path });

test.each([
  ['GET', '/compute/v2.1/servers', true],
  ['GET', '/r/north/compute/v2.1/servers', true],
  ['POST', '/compute/v2.1/servers', false],
  ['GET', '/compute/v2.1/flavors', false],
  ['GET', '/image/v2.1/servers', false],
  ['GET', '/networking/v2.0/networks/1', true],
  ['GET', '/identity/v3/auth/tokens', true],
  ['DELETE', '/identity/v3/auth/tokens', false],
  ['GET', '/identity/v3/users', false],
  ['GET', '/elsewhere', false],
])('%s %s: %s', (method, path, allowed) => {
  const rules = [rule('compute', 'GET', '/v2.1/servers'), rule('network', 'GET', '/networking/v2.0/networks/*')];
  expect(permits(rules, { method, path })).toBe(allowed);
  expect(permits(null, { method, path })).toBe(true);
  expect(permits([], { method, path })).toBe(path === '/identity/v3/auth/tokens' && method === 'GET');
});

test('every service of the catalog can be named', () => {
  for (const { serviceId, url } of ownEndpoints('https://cloud.example', ['RegionOne'])) {
    const type = ownServices.find(({ id }) => id === serviceId)?.type ?? '';
    const call = { method: 'PUT', path: `${new URL(url).pathname}/x` };
    expect([type, permits([rule(type, 'PUT', '/**')], call)]).toEqual([type, true]);
  }
});
