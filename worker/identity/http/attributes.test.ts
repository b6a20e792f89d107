import { describe, expect, test } from 'vitest';
import { domainToCreate, domainToUpdate } from '../domains/domain-body.ts';
import { projectToCreate, projectToUpdate } from '../projects/project-body.ts';
import { roleToCreate, roleToUpdate } from '../roles/role-body.ts';
import { passwordChange, userToCreate, userToUpdate } from '../users/user-body.ts';
import { merged } from './attributes.ts';

const uuid4 = '853ac6d1a2f24d1eb8bd8bbe8f9ac6a4';

describe('bodies that are taken', () => {
  test('names are trimmed, and what is unknown is kept aside', () => {
    expect(projectToCreate.parse({ name: '  pond ', colour: 'green' })).toEqual({
      name: 'pond',
      isDomain: false,
      domainId: null,
      parentId: null,
      extra: { colour: 'green' },
    });
    expect(userToCreate.parse({ name: 'u', password: 'x', email: 'a@b', nick: 1 })).toEqual({
      name: 'u',
      domainId: null,
      password: 'x',
      email: 'a@b',
      links: [],
      extra: { nick: 1 },
    });
    expect(roleToCreate.parse({ name: 'r', description: 'd', domain_id: null })).toEqual({
      name: 'r',
      domainId: '',
      description: 'd',
    });
    expect(domainToCreate.parse({ name: 'd', explicit_domain_id: uuid4, tags: ['a'] })).toEqual({
      name: 'd',
      explicitId: uuid4,
      tags: ['a'],
    });
  });

  test('a change holds only what was sent, null where it was sent', () => {
    expect(projectToUpdate.parse({ description: null })).toEqual({ change: { description: null }, place: {} });
    expect(userToUpdate.parse({ default_project_id: null, enabled: false })).toEqual({
      change: { defaultProjectId: null, enabled: false },
      place: {},
    });
    expect(userToUpdate.parse({ password: null })).toMatchObject({ password: null });
    expect(domainToUpdate.parse({ options: { immutable: null } })).toEqual({ options: { immutable: null } });
    expect(roleToUpdate.parse({ name: 'x' })).toEqual({ change: { name: 'x' }, place: {} });
  });

  test('what cannot be changed may be repeated', () => {
    expect(projectToUpdate.parse({ id: 'p', domain_id: 'd', parent_id: 'q', is_domain: false }).place).toEqual({
      id: 'p',
      domainId: 'd',
      parentId: 'q',
      isDomain: false,
    });
  });

  test('a password never lands among the extra attributes', () => {
    const parsed = userToUpdate.parse({ password: 'secret', original_password: 'secret' });
    expect(JSON.stringify(parsed.change)).not.toContain('secret');
  });
});

describe('bodies that are refused', () => {
  const long = (length: number) => 'x'.repeat(length);
  test.each([
    ['no name', projectToCreate, {}],
    ['an empty name', projectToCreate, { name: '' }],
    ['white space for a name', projectToCreate, { name: ' \t' }],
    ['a number for a name', projectToCreate, { name: 5 }],
    ['a project name of 65 characters', projectToCreate, { name: long(65) }],
    ['a domain name of 65 characters', domainToCreate, { name: long(65) }],
    ['a user name of 256 characters', userToCreate, { name: long(256) }],
    ['a role name of 256 characters', roleToCreate, { name: long(256) }],
    ['a word for enabled', domainToCreate, { name: 'd', enabled: 'yes' }],
    ['null for enabled', userToCreate, { name: 'u', enabled: null }],
    ['a tag with a comma', projectToCreate, { name: 'p', tags: ['a,b'] }],
    ['a tag twice', projectToCreate, { name: 'p', tags: ['a', 'a'] }],
    ['81 tags', projectToCreate, { name: 'p', tags: Array.from({ length: 81 }, (_, at) => `t${at}`) }],
    ['an id with a slash', projectToCreate, { name: 'p', domain_id: '../x' }],
    ['a domain id that is no UUID', domainToCreate, { name: 'd', explicit_domain_id: 'mine' }],
    ['an option there is not', projectToCreate, { name: 'p', options: { mutable: true } }],
    [
      'second factors, which are not checked here',
      userToCreate,
      { name: 'u', options: { multi_factor_auth_enabled: true } },
    ],
    ['a number for a password', userToCreate, { name: 'u', password: 5 }],
    ['a password of 4097 bytes', userToCreate, { name: 'u', password: long(4097) }],
    ['a description of 4097 characters', roleToCreate, { name: 'r', description: long(4097) }],
    ['more extra attributes than are kept', userToCreate, { name: 'u', notes: long(20_000) }],
    ['an empty change', projectToUpdate, {}],
    ['an empty change', userToUpdate, {}],
    ['an empty change', domainToUpdate, {}],
    ['an empty change', roleToUpdate, {}],
    ['a list', userToUpdate, []],
    ['a change of password without the old one', passwordChange, { password: 'x' }],
    ['a change of password with more', passwordChange, { password: 'x', original_password: 'y', name: 'z' }],
  ])('%s', (_, schema, body) => {
    expect(schema.safeParse(body).success).toBe(false);
  });
});

test('a change of options or extra attributes leaves the others, and null takes one away', () => {
  expect(merged({ a: 1, b: 2 }, { b: null, c: 3 })).toEqual({ a: 1, c: 3 });
  expect(merged({ a: 1 })).toEqual({ a: 1 });
});
