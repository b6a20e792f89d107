import { expect, test } from 'vitest';
import { newerThan, rules } from './rules.ts';

const NAMED = { user: { name: '{0}' } };
const NAME = { type: 'name' };
const rule = (local: object, remote: object = NAME) => [{ local: [local], remote: [remote] }];

test.each([
  ['a user', rule(NAMED)],
  ['all of a user', rule({ user: { id: '{0}', name: 'x', email: 'x', domain: { id: 'd' }, type: 'local' } })],
  ['a group by id', rule({ group: { id: 'g' } })],
  ['a group by name', rule({ group: { name: 'g', domain: { name: 'D' } } })],
  ['lists of groups', rule({ groups: '{0}', group_ids: '{0}', domain: { id: 'd' } })],
  ['projects', rule({ projects: [{ name: 'p', roles: [{ name: 'member' }] }] })],
  ['patterns', rule(NAMED, { type: 'x', whitelist: ['^a', '\\bb\\b', '(?i)c'], regex: true })],
  ['braces of their own', rule({ user: { name: '{{{0}}}' } })],
])('%s can be mapped', (_, given) => {
  expect(rules.safeParse(given)).toMatchObject({ success: true });
});

test.each([
  [[], /nothing in it/],
  ['x', /expected array/],
  [[{ local: [NAMED] }], /expected array/],
  [[{ remote: [NAME] }], /expected array/],
  [[{ local: [NAMED], remote: [] }], /nothing in it/],
  [[{ local: [NAMED], remote: [NAME], more: 1 }], /Unrecognized key: "more"/],
  [rule({ nobody: 'x' }), /Unrecognized key: "nobody"/],
  [rule({ user: { nick: 'x' } }), /Unrecognized key: "nick"/],
  [rule({ user: { type: 'lasting' } }), /neither "ephemeral" nor "local"/],
  [rule({ user: { name: 1 } }), /expected string/],
  [rule({ group: {} }), /either an id, or a name and a domain/],
  [rule({ group: { name: 'g' } }), /either an id, or a name and a domain/],
  [rule({ group: { id: 'i', name: 'g', domain: {} } }), /either an id, or a name and a domain/],
  [rule({ projects: [{ name: 'p' }] }), /expected array/],
  [rule({ projects: [{ roles: [] }] }), /expected string/],
  [rule({ projects: [{ name: 'p', roles: ['member'] }] }), /expected object/],
  [rule(NAMED, {}), /expected string/],
  [rule(NAMED, { type: 1 }), /expected string/],
  [rule(NAMED, { type: 'x', any_one_of: 'a' }), /expected array/],
  [rule(NAMED, { type: 'x', any_one_of: [1] }), /expected string/],
  [rule(NAMED, { type: 'x', some_of: ['a'] }), /Unrecognized key: "some_of"/],
  [rule(NAMED, { type: 'x', whitelist: [], blacklist: [] }), /whitelist and blacklist: there may be one/],
  [rule({}, { type: 'x', regex: true }), /nothing to match/],
  [rule(NAMED, { type: 'x', whitelist: ['('], regex: true }), /"\(" is no regular expression/],
  [rule(NAMED, { type: 'x', whitelist: ['(?x)a'], regex: true }), /has the flag x/],
  [rule({ user: { name: '{1}' } }), /\{1\} refers to a remote match that doesn't exist: its remote part gives 1/],
  [rule({ user: { name: '{0}' } }, { type: 'x', any_one_of: ['a'] }), /\{0\} refers to .* gives 0/],
  [rule({ projects: [{ name: 'p', roles: [{ name: '{7}' }] }] }), /\{7\} refers to/],
  [rule({ user: { name: '{' } }), /a brace that is no/],
  [rule({ user: { name: '{name}' } }), /a brace that is no/],
  [rule({ user: { name: '{0.__class__}' } }), /a brace that is no/],
])('%j is refused', (given, message) => {
  const { success, error } = rules.safeParse(given);
  expect(success).toBe(false);
  expect(error?.issues[0]?.message).toMatch(message);
});

test('what came later needs its version', () => {
  const domain = rules.parse(rule({ projects: [{ name: 'p', roles: [], domain: { id: 'd' } }] }));
  const json = rules.parse(rule({ projects_json: '{0}' }));
  expect(newerThan('1.0', domain)).toMatch(/2\.0/);
  expect(newerThan('2.0', domain)).toBeUndefined();
  expect(newerThan('2.0', json)).toMatch(/3\.0/);
  expect(newerThan('3.0', json)).toBeUndefined();
});
