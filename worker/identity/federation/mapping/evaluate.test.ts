import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Assertion, evaluate, NotMapped } from './evaluate.ts';
import { type Rule, rules, type SchemaVersion } from './rules.ts';

const map = (given: object[], assertion: Assertion, version: SchemaVersion = '1.0') =>
  evaluate(rules.parse(given), version, assertion);
const NAMED = { user: { name: '{0}' } };

const ANN: Assertion = { name: ['ann'], email: ['ann@example.org'], groups: ['dev', 'ops', 'all'], none: [] };

describe('who it is', () => {
  test('a template takes claims in the order of the remote part', () => {
    const local = [{ user: { id: '{1}', name: '{0} of {{x}} {1}', email: '{1}', domain: { name: 'd-{0}' } } }];
    expect(map([{ local, remote: [{ type: 'name' }, { type: 'email' }] }], ANN).user).toEqual({
      type: 'ephemeral',
      id: 'ann@example.org',
      name: 'ann of {x} ann@example.org',
      email: 'ann@example.org',
      domain: { name: 'd-ann' },
    });
  });

  test('conditions take no number', () => {
    const remote = [{ type: 'groups', any_one_of: ['ops'] }, { type: 'email', not_any_of: ['x'] }, { type: 'name' }];
    expect(map([{ local: [NAMED], remote }], ANN).user.name).toBe('ann');
  });

  test('the first user counts; a user without anything does not', () => {
    const of = (user: object) => ({ local: [{ user }], remote: [{ type: 'name' }] });
    expect(map([of({}), of({ name: '{0}', type: 'local' }), of({ name: 'other' })], ANN).user).toEqual({
      type: 'local',
      name: 'ann',
    });
  });

  test('no rule that applies makes nobody', () => {
    expect(() => map([{ local: [NAMED], remote: [{ type: 'absent' }] }], ANN)).toThrow(NotMapped);
    expect(() => map([{ local: [NAMED], remote: [{ type: 'none' }] }], ANN)).toThrow(NotMapped);
    expect(() => map([{ local: [], remote: [{ type: 'name' }] }], ANN)).toThrow(NotMapped);
  });

  test('names of the language itself are no claims', () => {
    for (const type of ['constructor', '__proto__', 'toString'])
      expect(() => map([{ local: [NAMED], remote: [{ type }] }], ANN)).toThrow(NotMapped);
  });
});

describe('conditions', () => {
  const applies = (remote: object, assertion = ANN) => {
    try {
      map([{ local: [{ user: { name: 'x' } }], remote: [remote] }], assertion);
      return true;
    } catch {
      return false;
    }
  };
  test.each([
    [{ type: 'groups', any_one_of: ['ops'] }, true],
    [{ type: 'groups', any_one_of: ['op'] }, false],
    [{ type: 'groups', any_one_of: ['^op'], regex: true }, true],
    [{ type: 'groups', any_one_of: ['^op$'], regex: true }, false],
    [{ type: 'groups', any_one_of: [] }, false],
    [{ type: 'groups', not_any_of: ['ops'] }, false],
    [{ type: 'groups', not_any_of: ['x'] }, true],
    [{ type: 'groups', not_any_of: [] }, true],
    [{ type: 'absent', not_any_of: ['x'] }, false],
    [{ type: 'email', any_one_of: ['.*@EXAMPLE.org$'], regex: true }, false],
    [{ type: 'email', any_one_of: ['(?i).*@EXAMPLE.org$'], regex: true }, true],
    [{ type: 'email', any_one_of: ['\\Aann@\\w+\\.org\\Z'], regex: true }, true],
    [{ type: 'email', any_one_of: ['\\Aann@\\w+\\Z'], regex: true }, false],
    [{ type: 'name', any_one_of: ['^(?P<letter>.)(?P=letter)|^a(?P<n>n)(?P=n)$'], regex: true }, true],
  ])('%j: %s', (remote, expected) => expect(applies(remote)).toBe(expected));
});

describe('groups', () => {
  const groupsOf = (remote: object, local: object = {}) => {
    const all = [
      { local: [{ groups: '{0}', domain: { id: 'd' }, ...local }], remote: [{ type: 'groups', ...remote }] },
    ];
    return map(all, ANN).groupNames.map(({ name }) => name);
  };
  test('a list of names in the domain beside it', () => {
    expect(groupsOf({})).toEqual(['dev', 'ops', 'all']);
    expect(groupsOf({ whitelist: ['ops', 'x'] })).toEqual(['ops']);
    expect(groupsOf({ whitelist: ['^.{3}$'], regex: true })).toEqual(['dev', 'ops', 'all']);
    expect(groupsOf({ whitelist: [] })).toEqual([]);
    expect(groupsOf({ blacklist: ['all'] })).toEqual(['dev', 'ops']);
    expect(groupsOf({ blacklist: ['^a', 'v$'], regex: true })).toEqual(['ops']);
    expect(groupsOf({ blacklist: [] })).toEqual(['dev', 'ops', 'all']);
    expect(groupsOf({}, { groups: '[\'a\', "b"]' })).toEqual(['a', 'b']);
    expect(groupsOf({}, { groups: '[]' })).toEqual([]);
    expect(groupsOf({}, { groups: '[odd' })).toEqual(['[odd']);
  });

  test("a provider's word is one name, whatever is in it", () => {
    const all = [{ local: [{ groups: '{0}', domain: { name: 'D' } }], remote: [{ type: 'g' }] }];
    expect(map(all, { g: ["['admins']"] }).groupNames).toEqual([{ name: "['admins']", domain: { name: 'D' } }]);
    expect(map(all, { g: ['a;b', '{0}'] }).groupNames.map(({ name }) => name)).toEqual(['a;b', '{0}']);
  });

  test('one by id or name, several by ids, none twice', () => {
    const local = [
      { group: { id: 'g1' } },
      { group_ids: '{0}' },
      { group: { name: 'ops', domain: { id: 'd' } } },
      { groups: '{0}', domain: { id: 'd' } },
      { groups: 'ops', domain: { id: 'e' } },
    ];
    const mapped = map([{ local, remote: [{ type: 'g' }] }], { g: ['g1', 'ops'] });
    expect(mapped.groupIds).toEqual(['g1', 'ops']);
    expect(mapped.groupNames).toEqual([
      { name: 'ops', domain: { id: 'd' } },
      { name: 'g1', domain: { id: 'd' } },
      { name: 'ops', domain: { id: 'e' } },
    ]);
  });

  test('with their domains in JSON', () => {
    const all = [{ local: [{ groups: '{0}' }], remote: [{ type: 'g' }] }];
    const g = ['JSON:{"name": "a{0}", "domain": {"name": "D"}}', 'JSON:{"name": "b", "domain": {"id": "d"}}'];
    expect(map(all, { g }).groupNames).toEqual([
      { name: 'a{0}', domain: { name: 'D' } },
      { name: 'b', domain: { id: 'd' } },
    ]);
    for (const bad of ['JSON:', 'JSON:{"name": "a"}', 'JSON:[]', 'plain']) {
      expect(() => map(all, { g: [bad] })).toThrow(NotMapped);
    }
  });
});

describe('projects', () => {
  const remote = [{ type: 'name' }];
  test('names and roles; the last rule with projects counts', () => {
    const project = { name: 'p-{0}', roles: [{ name: 'member' }, { name: '{0}' }] };
    const all = [
      { local: [NAMED, { projects: [{ name: 'first', roles: [] }] }], remote },
      { local: [{ projects: [project] }], remote },
    ];
    expect(map(all, ANN).projects).toEqual([{ name: 'p-ann', roles: ['member', 'ann'] }]);
  });

  test('since 2.0 of the domain beside them, or of their own', () => {
    const projects = [
      { name: 'a', roles: [] },
      { name: 'b', roles: [], domain: { id: 'own' } },
    ];
    const all = [{ local: [{ user: { name: '{0}' }, projects, domain: { name: '{0}' } }], remote }];
    const mapped = map(all, ANN, '2.0');
    expect(mapped.projects.map(({ domain }) => domain)).toEqual([{ name: 'ann' }, { id: 'own' }]);
    expect(mapped.user.domain).toEqual({ name: 'ann' });
    expect(
      map([{ local: [{ user: { name: '{0}' }, domain: { name: 'x' } }], remote }], ANN).user.domain,
    ).toBeUndefined();
  });

  test('since 3.0 as the provider says them in JSON', () => {
    const all = [{ local: [{ user: { name: 'x' }, projects_json: '{0}' }], remote: [{ type: 'p' }] }];
    const p = JSON.stringify([{ name: 'a{0}', roles: [{ name: 'reader' }], domain: { id: 'd' } }]);
    expect(map(all, { p: [p] }, '3.0').projects).toEqual([{ name: 'a{0}', roles: ['reader'], domain: { id: 'd' } }]);
    for (const bad of ['{', '{}', '[{"name": "a"}]', '[{"name": "a", "roles": ["reader"]}]'])
      expect(() => map(all, { p: [bad] }, '3.0')).toThrow(NotMapped);
  });
});

describe('whatever is asserted', () => {
  const values = fc.array(fc.string(), { minLength: 1, maxLength: 8 });
  test('whitelist and blacklist of the same part a claim between them', () => {
    fc.assert(
      fc.property(values, values, (given, listed) => {
        const names = (condition: string) => {
          const local = [{ user: { name: 'x' } }, { groups: '{0}', domain: { id: 'd' } }];
          return map([{ local, remote: [{ type: 'g', [condition]: listed }] }], { g: given }).groupNames;
        };
        const both = [...names('whitelist'), ...names('blacklist')].map(({ name }) => name);
        // JSON: begins a group of another form.
        if (!given.some((value) => value.startsWith('JSON:'))) expect(new Set(both)).toEqual(new Set(given));
      }),
    );
  });

  test('any_one_of and not_any_of never both apply, and one does', () => {
    fc.assert(
      fc.property(values, values, (given, listed) => {
        const applies = (condition: string) => {
          const all = [{ local: [{ user: { name: 'x' } }], remote: [{ type: 'g', [condition]: listed }] }];
          try {
            return map(all, { g: given }).user.name === 'x';
          } catch {
            return false;
          }
        };
        expect(applies('any_one_of')).not.toBe(applies('not_any_of'));
      }),
    );
  });

  test('a claim comes through a template as it is', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const local = [{ user: { id: '{0}', name: '<{0}>' }, group_ids: '{0}' }];
        const mapped = map([{ local, remote: [{ type: 'c' }] }], { c: [value] });
        expect(mapped.user).toMatchObject({ id: value, name: `<${value}>` });
        expect(mapped.groupIds).toEqual([value]);
      }),
    );
  });

  test('what the schema takes, evaluation ends: mapped or not', () => {
    const text = fc.oneof(fc.constantFrom('{0}', '{1}', 'a{0}b', '{{', '[]', 'JSON:{}', ''), fc.string());
    const condition = fc.constantFrom('any_one_of', 'not_any_of', 'whitelist', 'blacklist', 'type');
    const remote = fc
      .record({ type: fc.constantFrom('a', 'b', 'c'), condition, values: fc.array(text), regex: fc.boolean() })
      .map(({ type, condition, values, regex }) =>
        condition === 'type' ? { type } : { type, [condition]: values, regex },
      );
    const local = fc.record(
      { user: fc.record({ name: text, id: text }, { requiredKeys: [] }), groups: text, group_ids: text },
      { requiredKeys: [] },
    );
    const all = fc.array(fc.record({ local: fc.array(local), remote: fc.array(remote) }));
    const assertion = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.array(fc.string()));
    fc.assert(
      fc.property(all, assertion, (given, said) => {
        const parsed = rules.safeParse(given);
        if (!parsed.success) return;
        try {
          expect(evaluate(parsed.data as Rule[], '2.0', said).user.type).toBe('ephemeral');
        } catch (error) {
          expect(error).toBeInstanceOf(NotMapped);
        }
      }),
      { numRuns: 500 },
    );
  });
});
