import { beforeAll, describe, expect, test } from 'vitest';
import { POLICY } from '../worker/identity/policy.ts';
import {
  grant,
  keystone,
  must,
  newDomain,
  newGroup,
  newProject,
  newUser,
  resealed,
  roleId,
  type TestUser,
  tokenOf,
} from './edge-identity.ts';

/** Who tries a call: roles on a project and a domain, and those of elsewhere. */
export const KINDS = [
  'reader',
  'member',
  'manager',
  'admin',
  'service',
  'stranger',
  'domainReader',
  'domainManager',
  'systemReader',
  'unscoped',
] as const;
export type Kind = (typeof KINDS)[number];

/** One domain with a project and a user who is the target of what the others try. */
export interface Scene {
  domainId: string;
  projectId: string;
  groupId: string;
  target: TestUser;
  targetToken: string;
  memberRole: string;
  tokens: Record<Kind, string>;
}
async function userWith(domainId: string, role: string, place: string, scope: object): Promise<string> {
  const user = await newUser(domainId);
  await grant(user.id, role, place);
  return tokenOf(user, scope);
}

/** @returns a domain with a project, and everyone who tries */
async function openScene(): Promise<Scene> {
  const domain = await newDomain();
  const elsewhere = await newDomain();
  const project = await newProject(domain.id);
  const away = await newProject(elsewhere.id);
  const target = await newUser(domain.id);
  const here = { project: { id: project.id } };
  const onProject = (role: string) => userWith(domain.id, role, `projects/${project.id}`, here);
  const onDomain = (role: string) => userWith(domain.id, role, `domains/${domain.id}`, { domain: { id: domain.id } });
  return {
    domainId: domain.id,
    projectId: project.id,
    groupId: await newGroup(domain.id),
    target,
    targetToken: await tokenOf(target, 'unscoped'),
    memberRole: await roleId('member'),
    tokens: {
      reader: await onProject('reader'),
      member: await onProject('member'),
      manager: await onProject('manager'),
      admin: await onProject('admin'),
      service: await onProject('service'),
      stranger: await userWith(elsewhere.id, 'member', `projects/${away.id}`, { project: { id: away.id } }),
      domainReader: await onDomain('reader'),
      domainManager: await onDomain('manager'),
      systemReader: await userWith(domain.id, 'reader', 'system', { system: { all: true } }),
      unscoped: await tokenOf(await newUser(domain.id), 'unscoped'),
    },
  };
}

interface Call {
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}
/** A call, made anew for each who tries it where it changes something. */
export type Maker = (scene: Scene) => Call | Promise<Call>;
/** A call of nothing but a path. */
export const at =
  (path: (scene: Scene) => string): Maker =>
  (scene) => ({ path: path(scene) });

export const SYSTEM: Kind[] = ['systemReader'];
export const DOMAIN: Kind[] = ['domainReader', 'domainManager'];
export const PROJECT: Kind[] = ['reader', 'member', 'manager', 'service'];
export const ALL: Kind[] = KINDS.filter((kind) => kind !== 'admin');

/** Method, what, the call, what the allowed get, and who besides the admin is allowed. */
export type Row = [string, string, Maker, number, Kind[]];

/**
 * Tries every row as everyone, and with tokens that are none, and sees that no action was left out.
 * @param its - whether an action is of this table
 * @returns the scene, once the tests run
 */
export function describeRows(rows: readonly Row[], its: (action: string) => boolean): () => Scene {
  let scene: Scene;
  let revoked = '';
  beforeAll(async () => {
    asked.clear();
    scene = await openScene();
    const admin = await newUser(scene.domainId);
    await grant(admin.id, 'admin', `projects/${scene.projectId}`);
    revoked = await tokenOf(admin, { project: { id: scene.projectId } });
    await must('DELETE', '/auth/tokens', { headers: { 'x-subject-token': revoked } });
  });

  describe.each(rows)('%s %s', (method, _, make, success, allowed) => {
    test('is for those and no one else', async () => {
      const statuses: Partial<Record<Kind, number>> = {};
      for (const kind of KINDS) {
        const { path, ...call } = await make(scene);
        statuses[kind] = (await keystone(method, path, { ...call, token: scene.tokens[kind] })).status;
      }
      const expected = KINDS.map((kind) => [kind, kind === 'admin' || allowed.includes(kind) ? success : 403]);
      expect(statuses).toEqual(Object.fromEntries(expected));
    });

    test('needs a token, and one that is good', async () => {
      const { path, ...call } = await make(scene);
      const expired = await resealed(scene.tokens.admin, { expiresAtMs: Date.now() });
      for (const token of [null, 'junk', expired, revoked]) {
        const answer = await keystone(method, path, { ...call, token });
        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Keystone uri="http.*\/identity\/v3"$/);
      }
    });
  });

  test('every action has been tried', () => {
    expect(Object.keys(POLICY).filter((action) => its(action) && !asked.has(action))).toEqual([]);
  });
  return () => scene;
}

/** The actions that somebody was asked about while rows were tried. */
const asked = new Set<string>();
const rules = POLICY as unknown as Record<string, (...of: unknown[]) => boolean>;
for (const [action, rule] of Object.entries(rules)) {
  rules[action] = (...of) => {
    asked.add(action);
    return rule(...of);
  };
}
