import { expect, test } from 'vitest';
import { renderToken, renderTokenStart } from './render-token.ts';
import type { Scope, Token } from './token.ts';

const domain = { id: 'default', name: 'Default' };
const tokenOf = (scope: Scope, auditIds: Token['auditIds'] = ['a']): Token => ({
  user: { id: 'u', name: 'quote " and \u2028', domain },
  scope,
  roles: scope.type === 'unscoped' ? [] : [{ id: 'r', name: 'member' }],
  methods: ['password'],
  auditIds,
  issuedAtMs: Date.UTC(2026, 10, 23, 14, 27, 31, 5),
  expiresAtMs: Date.UTC(2026, 10, 23, 15, 27, 31, 5),
  revocationSeq: 0,
});
const render = (token: Token, catalog?: string) => JSON.parse(renderToken(renderTokenStart(token), token, catalog));

const common = {
  methods: ['password'],
  user: { domain, id: 'u', name: 'quote " and \u2028', password_expires_at: null },
  audit_ids: ['a'],
  expires_at: '2026-11-23T15:27:31.005000Z',
  issued_at: '2026-11-23T14:27:31.005000Z',
};
const roles = [{ id: 'r', name: 'member' }];

test('a token for a project', () => {
  const token = tokenOf({ type: 'project', project: { id: 'p', name: 'pond', domain } });
  const project = { domain, id: 'p', name: 'pond' };
  expect(render(token)).toEqual({ token: { ...common, project, is_domain: false, roles } });
  expect(render(token, '[{"id":"c"}]').token.catalog).toEqual([{ id: 'c' }]);
});

test('a token for a domain', () => {
  expect(render(tokenOf({ type: 'domain', domain }), '[]')).toEqual({
    token: { ...common, domain, roles, catalog: [] },
  });
});

test('a token for the system', () => {
  expect(render(tokenOf({ type: 'system' }))).toEqual({ token: { ...common, roles, system: { all: true } } });
});

test('a token without a scope has no roles and no catalog', () => {
  expect(render(tokenOf({ type: 'unscoped' }), '[]')).toEqual({ token: common });
});

test('an exchanged token names the first of its line', () => {
  expect(render(tokenOf({ type: 'unscoped' }, ['b', 'a'])).token.audit_ids).toEqual(['b', 'a']);
});

test('a token of a log-in elsewhere says by whom, and nothing of a password', () => {
  const federation = { idpId: 'i', protocolId: 'p', groupIds: ['g'] };
  const { password_expires_at: _, ...user } = common.user;
  const elsewhere = { groups: [{ id: 'g' }], identity_provider: { id: 'i' }, protocol: { id: 'p' } };
  expect(render({ ...tokenOf({ type: 'unscoped' }), federation })).toEqual({
    token: { ...common, user: { ...user, 'OS-FEDERATION': elsewhere } },
  });
});
