import { expect, test } from 'vitest';
import { assertionOf } from './claims.ts';

test('a claim has the names that mappings use, whatever the prefix', () => {
  const assertion = assertionOf({ email: 'a@b.c', 'https://x.org/team-id': 7 });
  for (const name of ['OIDC-email', 'OIDC_CLAIM_email', 'HTTP_OIDC_EMAIL', 'HTTP_OIDC_CLAIM_EMAIL'])
    expect(assertion[name]).toEqual(['a@b.c']);
  expect(assertion['OIDC-https://x.org/team-id']).toEqual(['7']);
  expect(assertion.HTTP_OIDC_HTTPS___X_ORG_TEAM_ID).toEqual(['7']);
});

test.each([
  ['a;b', ['a;b']],
  [true, ['1']],
  [false, ['0']],
  [1.5, ['1.5']],
  [null, []],
  [[], []],
  [
    ['a', 'b;c', 1, true],
    ['a', 'b;c', '1', '1'],
  ],
  [{ roles: ['a'] }, ['{"roles":["a"]}']],
  [[{ name: 'p' }, 'x'], ['[{"name":"p"},"x"]']],
])('%j has the values %j', (value, values) => {
  expect(assertionOf({ c: value })['OIDC-c']).toEqual(values);
});

test('REMOTE_USER is the subject at its issuer', () => {
  expect(assertionOf({ sub: '1', iss: 'https://sso.example.org/realm' }).REMOTE_USER).toEqual([
    '1@sso.example.org/realm',
  ]);
  expect(assertionOf({ sub: '1' }).REMOTE_USER).toBeUndefined();
});
