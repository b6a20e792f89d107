import { expect, it } from 'vitest';
import { gatewayMac, Names } from './names.ts';

const id = '00000000-0000-4000-8000-000000000001';

it('gives interfaces names that fit the kernel, one for each id, kind and mark', () => {
  const marks = ['a', 'ae12', 'ae1234', 'ae12345', 'aerostatrunner01'].map((mark) => new Names(mark));
  const all = marks.flatMap((names) => [names.bridge(id), names.tap(id), names.bridge(`${id}2`)]);
  for (const name of all) expect(name).toMatch(/^[a-z][a-z0-9]{14}$/);
  expect(new Set(all).size).toBe(all.length);
  expect(new Names('ae12').bridge(id)).toBe(new Names('ae12').bridge(id));
});

it('takes no mark for a prefix of another', () => {
  const [short, long] = [new Names('ae'), new Names('aet123')];
  expect(long.tap(id).startsWith(short.tapPrefix)).toBe(false);
  expect(short.tap(id).startsWith(short.tapPrefix)).toBe(true);
});

it('refuses marks that could mean something to nft or a path', () => {
  for (const mark of ['', 'A', '1a', 'a-b', 'a b', 'a/b', 'a;', 'x'.repeat(17)]) {
    expect(() => new Names(mark)).toThrow('a mark is');
  }
});

it('knows its own links, by alias, or by name where they have none', () => {
  const names = new Names('ae12');
  const alias = names.alias('port', id);
  expect(names.owns({ name: 'anything', alias })).toBe(true);
  expect(names.owns({ name: names.tap(id), alias: null })).toBe(true);
  expect(names.owns({ name: names.tap(id), alias: 'ae123:port:1' })).toBe(false);
  expect(names.owns({ name: 'eth0', alias: null })).toBe(false);
  expect(names.idOf('port', alias)).toBe(id);
  expect(names.idOf('network', alias)).toBe(null);
  expect(names.idOf('port', null)).toBe(null);
});

it('keeps marks and tables of runners apart', () => {
  const [one, two] = [new Names('ae12'), new Names('ae13')];
  expect(one.networkMark(1)).toMatch(/^0x[89a-f][0-9a-f]{3}0001$/);
  expect(one.networkMark(0xffff).startsWith(one.networkMarkBase.slice(0, 6))).toBe(true);
  expect(one.networkMarkBase).not.toBe(two.networkMarkBase);
  expect(one.ownsTable(one.routingTable(7))).toBe(true);
  expect(one.ownsTable(two.routingTable(7))).toBe(false);
  expect(one.ownsTable(254)).toBe(false);
  expect(one.ownsTable(Number('main'))).toBe(false);
});

it('gives a gateway the same address everywhere, locally administered and no multicast', () => {
  expect(gatewayMac(id)).toBe(gatewayMac(id));
  expect(gatewayMac(id)).toMatch(/^fa:16(:[0-9a-f]{2}){4}$/);
});
