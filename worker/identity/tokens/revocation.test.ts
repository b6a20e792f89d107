import { expect, test } from 'vitest';
import { assignmentSubject, revocationKey, revocationsOf } from './revocation.ts';
import type { Scope, Token } from './token.ts';

const home = { id: 'home', name: 'Home' };
const away = { id: 'away', name: 'Away' };
const tokenOf = (scope: Scope): Token => ({
  user: { id: 'u', name: 'u', domain: home },
  scope,
  roles: [
    { id: 'r1', name: 'member' },
    { id: 'r2', name: 'reader' },
  ],
  methods: ['password'],
  auditIds: ['a', 'first'],
  issuedAtMs: 0,
  expiresAtMs: 1,
  revocationSeq: 0,
});
const keysOf = (scope: Scope) => revocationsOf(tokenOf(scope)).map(revocationKey);

const always = ['audit:a', 'user:u', 'domain:home', 'role:r1', 'role:r2'];

test('a token for a project ends with its user, both domains, the project, the grant, a role, or by itself', () => {
  const project = { id: 'p', name: 'p', domain: away };
  expect(keysOf({ type: 'project', project }).sort()).toEqual(
    [...always, 'project:p', 'domain:away', 'assignment:u/project/p'].sort(),
  );
});

test('a token for a domain ends with that domain and the grant on it', () => {
  expect(keysOf({ type: 'domain', domain: away }).sort()).toEqual(
    [...always, 'domain:away', 'assignment:u/domain/away'].sort(),
  );
});

test('a token for the system ends with the grant on it', () => {
  expect(keysOf({ type: 'system' }).sort()).toEqual([...always, 'assignment:u/system/all'].sort());
});

test('a token without a scope ends with its user and the domain of that, and by itself', () => {
  expect(keysOf({ type: 'unscoped' }).sort()).toEqual([...always].sort());
});

test('the token it was exchanged for is not revoked with it', () => {
  expect(keysOf({ type: 'unscoped' })).not.toContain('audit:first');
});

test('a grant is named by its user and its target', () => {
  expect(assignmentSubject('u', 'project', 'p')).toBe('u/project/p');
});

test('a token of a log-in elsewhere ends with the identity provider, or the protocol', () => {
  const token = { ...tokenOf({ type: 'unscoped' }), federation: { idpId: 'i', protocolId: 'p', groupIds: ['g'] } };
  expect(revocationsOf(token).map(revocationKey).sort()).toEqual([...always, 'federation:i', 'federation:i/p'].sort());
});
