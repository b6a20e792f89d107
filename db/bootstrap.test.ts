import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Ids, randomIds } from '../shared/ids.ts';
import { hashPassword, verifyPassword } from '../worker/identity/password.ts';
import { type BootstrapOptions, bootstrap } from './bootstrap.ts';
import { type Database, openDatabase } from './client.ts';
import { migrate } from './migrate.ts';
import { assignments, domains, projects, revocations, roles, users } from './schema/identity.ts';
import { startDatabaseServer } from './server/start-server.ts';

const ids: Ids = randomIds;
const clock = { nowMs: () => 1_800_000_000_000 };
let db: Database;
let close: () => Promise<void>;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-bootstrap-'));
  const server = await startDatabaseServer({ file: join(folder, 'test.db'), listen: '127.0.0.1:0', token: 'secret' });
  db = openDatabase({ url: server.url, token: 'secret' });
  await migrate(db, { clock, ids, sleep: async () => {} });
  close = async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
});
afterAll(() => close());

beforeEach(async () => {
  await db.batch([
    db.delete(revocations),
    db.delete(assignments),
    db.delete(roles),
    db.delete(users),
    db.delete(projects),
    db.delete(domains),
  ]);
});

const run = (options: Partial<BootstrapOptions> = {}) =>
  bootstrap(db, { hash: hashPassword, verify: verifyPassword, clock, ids, ...options });

const everything = () =>
  db.batch([
    db.select().from(domains),
    db.select().from(projects),
    db.select().from(users),
    db.select().from(roles).orderBy(roles.name),
    db.select().from(assignments).orderBy(assignments.targetType),
    db.select().from(revocations),
  ]);

const passwordHash = async () =>
  (await db.select().from(users).where(eq(users.name, 'admin')))[0]?.passwordHash ?? null;

test('a new database gets the Default domain, the base roles and an admin on project, domain and system', async () => {
  await run({ adminPassword: 'first' });
  const [domainRows, projectRows, userRows, roleRows, assignmentRows] = await everything();
  expect(domainRows).toMatchObject([{ id: 'default', name: 'Default', enabled: true }]);
  expect(projectRows).toMatchObject([{ name: 'admin', domainId: 'default', parentId: null, tags: [], options: {} }]);
  expect(userRows).toMatchObject([{ name: 'admin', domainId: 'default', enabled: true }]);
  expect(roleRows.map((role) => role.name)).toEqual(['admin', 'manager', 'member', 'reader', 'service']);
  expect(roleRows.every((role) => role.options.immutable === true && role.domainId === '')).toBe(true);
  const admin = roleRows[0];
  expect(assignmentRows.map((row) => [row.targetType, row.targetId])).toEqual([
    ['domain', 'default'],
    ['project', projectRows[0]?.id],
    ['system', 'all'],
  ]);
  expect(assignmentRows.every((row) => row.roleId === admin?.id && row.actorId === userRows[0]?.id)).toBe(true);
  expect((await verifyPassword('first', await passwordHash())).ok).toBe(true);
});

test('later runs change nothing', async () => {
  await run({ adminPassword: 'first' });
  const before = await everything();
  await run();
  await run({ adminPassword: 'first' });
  expect(await everything()).toEqual(before);
});

test('what was changed since the first run stays', async () => {
  await run({ adminPassword: 'first' });
  await db.batch([
    db.delete(assignments).where(eq(assignments.targetType, 'system')),
    db.update(projects).set({ name: 'renamed' }),
    db.update(users).set({ enabled: false }),
  ]);
  const before = await everything();
  await run({ adminPassword: 'first' });
  expect(await everything()).toEqual(before);
});

test('another admin password replaces the old one and ends the tokens issued under it', async () => {
  await run({ adminPassword: 'first' });
  await run({ adminPassword: 'second' });
  expect((await verifyPassword('second', await passwordHash())).ok).toBe(true);
  const [admin] = await db.select().from(users);
  expect(await db.select().from(revocations)).toMatchObject([{ kind: 'user', subject: admin?.id }]);
});

test('without a password the admin cannot log in until one is given', async () => {
  await run();
  expect(await passwordHash()).toBeNull();
  await run({ adminPassword: 'late' });
  expect((await verifyPassword('late', await passwordHash())).ok).toBe(true);
});

test('an admin that was deleted comes back with a password', async () => {
  await run({ adminPassword: 'first' });
  await db.batch([db.delete(assignments), db.delete(users)]);
  await run();
  expect(await db.select().from(users)).toEqual([]);
  await run({ adminPassword: 'again' });
  expect(await db.select().from(assignments)).toHaveLength(3);
});

test('two runs at once make one admin', async () => {
  await Promise.all([run({ adminPassword: 'first' }), run({ adminPassword: 'first' })]);
  const [, projectRows, userRows, roleRows, assignmentRows] = await everything();
  expect([projectRows.length, userRows.length, roleRows.length, assignmentRows.length]).toEqual([1, 1, 5, 3]);
});
