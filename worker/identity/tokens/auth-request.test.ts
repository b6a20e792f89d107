import { describe, expect, test } from 'vitest';
import { AuthMethodNotSupported } from '../http/faults.ts';
import { parseAuthRequest } from './auth-request.ts';

const user = { id: 'u', password: 'secret' };
const withScope = (scope: unknown) => ({
  auth: { identity: { methods: ['password'], password: { user } }, scope },
});
const withUser = (of: unknown) => ({ auth: { identity: { methods: ['password'], password: { user: of } } } });
const tail =
  ' The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.';

describe('what a log-in may say', () => {
  test.each([
    [{ id: 'u', password: 'x' }, { id: 'u' }],
    [
      { name: 'n', domain: { id: 'd' }, password: 'x' },
      { name: 'n', domain: { id: 'd' } },
    ],
    [
      { name: 'n', domain: { name: 'D' }, password: 'x' },
      { name: 'n', domain: { name: 'D' } },
    ],
    [
      { id: 'u', name: 'n', domain: { name: 'D', id: 'd' }, password: 'x' },
      { name: 'n', domain: { name: 'D' } },
    ],
  ])('user %j', (given, expected) => {
    expect(parseAuthRequest(withUser(given)).password).toEqual({ user: expected, password: 'x' });
  });

  test.each([
    [undefined, { type: 'default' }],
    ['unscoped', { type: 'unscoped' }],
    [{ unscoped: {} }, { type: 'unscoped' }],
    [{ system: { all: true } }, { type: 'system' }],
    [{ 'OS-TRUST:trust': { id: 't' } }, { type: 'trust', id: 't' }],
    [{ domain: { name: 'D' } }, { type: 'domain', domain: { name: 'D' } }],
    [{ project: { id: 'p' } }, { type: 'project', project: { id: 'p' } }],
    [{ project: { name: 'p', domain: { id: 'd' } } }, { type: 'project', project: { name: 'p', domain: { id: 'd' } } }],
  ])('scope %j', (given, expected) => {
    expect(parseAuthRequest(withScope(given)).scope).toEqual(expected);
  });

  test('a token, alone and with a password', () => {
    const identity = { methods: ['token', 'password', 'token'], token: { id: 't' }, password: { user } };
    expect(parseAuthRequest({ auth: { identity } })).toMatchObject({ token: 't', password: { password: 'secret' } });
    expect(parseAuthRequest({ auth: { identity: { methods: ['token'], token: { id: 't' } } } })).toEqual({
      token: 't',
      scope: { type: 'default' },
    });
  });

  test('what belongs to a method that is not asked for is left alone', () => {
    const identity = { methods: ['token'], token: { id: 't' }, password: { user } };
    expect(parseAuthRequest({ auth: { identity } })).not.toHaveProperty('password');
  });

  test('a missing password is an empty one, which nobody has', () => {
    expect(parseAuthRequest(withUser({ id: 'u' })).password?.password).toBe('');
  });
});

describe('what it may not', () => {
  test.each([
    [{}, `Expecting to find auth in request body.${tail}`],
    [{ auth: null }, `Expecting to find auth in request body.${tail}`],
    [{ auth: { identity: { methods: ['password'] } } }, `Expecting to find password in identity.${tail}`],
    [{ auth: { identity: { methods: ['totp'] } } }, `Expecting to find totp in identity.${tail}`],
    [{ auth: { identity: { methods: ['password'], password: {} } } }, `Expecting to find user in password.${tail}`],
    [withUser({}), 'Invalid input for field identity/password/user: id or name must be present.'],
    [withUser({ name: 'n', password: 'x' }), `Expecting to find domain in user.${tail}`],
    [
      withUser({ name: 'n', domain: {} }),
      'Invalid input for field identity/password/user/domain: id or name must be present.',
    ],
    [withScope({}), `Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope.${tail}`],
    [withScope('junk'), `Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope.${tail}`],
    [
      withScope({ project: { id: 'p' }, domain: { id: 'd' } }),
      `Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope.${tail}`,
    ],
    [withScope({ project: {} }), 'Invalid input for field scope/project: id or name must be present.'],
    [withScope({ project: { name: 'p' } }), `Expecting to find domain in project.${tail}`],
    [
      withScope({ project: { name: 'p', domain: {} } }),
      'Invalid input for field scope/project/domain: id or name must be present.',
    ],
    [withScope({ domain: {} }), 'Invalid input for field scope/domain: id or name must be present.'],
  ])('%j', (body, message) => {
    expect(() => parseAuthRequest(body)).toThrowError(expect.objectContaining({ status: 400, message }));
  });

  test.each([
    { auth: [] },
    { auth: 'x' },
    { auth: {} },
    { auth: { identity: {} } },
    { auth: { identity: { methods: 'password' } } },
    { auth: { identity: { methods: Array.from({ length: 17 }, () => 'token') } } },
    { auth: { identity: { methods: ['token'], token: {} } } },
    withUser({ id: 5 }),
    withUser({ id: 'u', password: null }),
    withUser({ id: 'u', password: 'x'.repeat(4097) }),
    withUser({ id: 'x'.repeat(1025) }),
    withScope(null),
    withScope([]),
    withScope({ project: 'p' }),
    withScope({ system: true }),
  ])('%j', (body) => {
    expect(() => parseAuthRequest(body)).toThrowError(expect.objectContaining({ status: 400 }));
  });

  test('no method at all', () => {
    expect(() => parseAuthRequest({ auth: { identity: { methods: [] } } })).toThrowError(
      expect.objectContaining({ status: 401 }),
    );
  });

  test('a method that there is not', () => {
    const body = { auth: { identity: { methods: ['totp'], totp: {} } } };
    expect(() => parseAuthRequest(body)).toThrowError(AuthMethodNotSupported);
  });

  test('a trust without an id', () => {
    expect(() => parseAuthRequest(withScope({ 'OS-TRUST:trust': {} }))).toThrowError(
      `Expecting to find trust_id in trust.${tail}`,
    );
  });
});
