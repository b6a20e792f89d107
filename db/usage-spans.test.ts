import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomIds } from '../shared/ids.ts';
import { type Database, openDatabase } from './client.ts';
import { migrate } from './migrate.ts';
import { servers } from './schema/compute.ts';
import { images } from './schema/image.ts';
import { usageSpans } from './schema/metering.ts';
import { networks, ports } from './schema/network.ts';
import { floatingIps, routers } from './schema/routers.ts';
import { startDatabaseServer } from './server/start-server.ts';

const BORN_MS = 1_800_000_000_000;
const RUNS = 60;
let db: Database;
let close: () => Promise<void>;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-spans-'));
  const server = await startDatabaseServer({ file: join(folder, 'test.db'), listen: '127.0.0.1:0', token: 'secret' });
  db = openDatabase({ url: server.url, token: 'secret' });
  await migrate(db, { clock: { nowMs: () => BORN_MS }, ids: randomIds, sleep: async () => {} });
  close = async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
});
afterAll(() => close());

const spansOf = (id: string) =>
  db.select().from(usageSpans).where(eq(usageSpans.resourceId, id)).orderBy(usageSpans.startMs, usageSpans.id);

const flavorOf = (name: string) => ({
  ...{ id: name, name, vcpus: 1, ramMib: 1, diskGib: 1, ephemeralGib: 0, swapMib: 0 },
  extraSpecs: {},
});

let number = 0;
async function newServer(of: Partial<typeof servers.$inferInsert> = {}): Promise<string> {
  const id = randomUUID();
  await db.insert(servers).values({
    ...{ id, region: 'r', projectId: 'p', userId: 'u', number: ++number, name: 's', hostname: 's' },
    ...{ flavor: flavorOf('small'), imageId: 'i', zone: 'z', reservationId: 'x', vmState: 'building' },
    ...{ createdAtMs: BORN_MS, updatedAtMs: BORN_MS },
    ...of,
  });
  return id;
}

async function newImage(of: Partial<typeof images.$inferInsert> = {}): Promise<string> {
  const id = randomUUID();
  const moments = { createdAtMs: BORN_MS, updatedAtMs: BORN_MS };
  await db
    .insert(images)
    .values({ id, region: 'r', projectId: 'p', name: 'i', status: 'queued', visibility: 'private', ...moments, ...of });
  return id;
}

const VM_STATES = ['active', 'stopped', 'paused', 'shelved_offloaded', 'error'] as const;
/** A step of a life: how far the clock goes, back too, and what changes. */
const step = fc.record({
  byMs: fc.integer({ min: -50_000, max: 100_000 }),
  state: fc.constantFrom(...VM_STATES),
  flavor: fc.constantFrom('small', 'large'),
  project: fc.constantFrom('p', 'q'),
  task: fc.constantFrom(null, 'rebooting' as const),
});

interface Span {
  state: string;
  itemType: string;
  projectId: string;
  startMs: number;
  endMs: number | null;
}

it('tiles the life of a server, whatever it goes through', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, deleted) => {
      const id = await newServer();
      let now = BORN_MS;
      const wanted: Span[] = [{ state: 'building', itemType: 'small', projectId: 'p', startMs: BORN_MS, endMs: null }];
      // A biller without triggers: it is told every change, and time never runs backwards for it.
      const told = (next: Omit<Span, 'startMs' | 'endMs'> | null) => {
        const last = wanted.at(-1) as Span;
        const same =
          next !== null &&
          next.state === last.state &&
          next.itemType === last.itemType &&
          next.projectId === last.projectId;
        if (same) return;
        last.endMs = Math.max(now, last.startMs);
        if (next) wanted.push({ ...next, startMs: last.endMs, endMs: null });
      };
      for (const { byMs, state, flavor, project, task } of steps) {
        // A row that says the time it had before has the database's clock speak: not here.
        now += byMs === 0 ? 1 : byMs;
        const set = { vmState: state, flavor: flavorOf(flavor), projectId: project, taskState: task, updatedAtMs: now };
        await db.update(servers).set(set).where(eq(servers.id, id));
        told({ state, itemType: flavor, projectId: project });
      }
      if (deleted) {
        now += 5;
        const set = { vmState: 'deleted' as const, deletedAtMs: now, updatedAtMs: now };
        await db.update(servers).set(set).where(eq(servers.id, id));
        told(null);
      }
      const rows = await spansOf(id);
      expect(
        rows.map(({ state, itemType, projectId, startMs, endMs }) => ({ state, itemType, projectId, startMs, endMs })),
      ).toEqual(wanted);
      expect(rows.filter((row) => row.endMs === null)).toHaveLength(deleted ? 0 : 1);
      for (const [at, row] of rows.entries()) if (at > 0) expect(row.startMs).toBe(rows[at - 1]?.endMs);
    }),
    { numRuns: RUNS },
  );
});

/** What is found of data that waits for its import. */
const STAGED = { sizeBytes: 1, virtualSizeBytes: null, md5: '', sha256: '', sha512: '', refusal: null };

it('counts the bytes of an image while it is stored, and never twice at a time', async () => {
  const status = fc.constantFrom('active', 'deactivated', 'queued', 'saving', 'uploading', 'deleted');
  const change = fc.record({
    byMs: fc.integer({ min: -1_000, max: 5_000 }),
    status,
    size: fc.integer({ min: 1, max: 3 }),
    isStaged: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
      const id = await newImage();
      let now = BORN_MS;
      for (const { byMs, status, size, isStaged } of changes) {
        now += byMs === 0 ? 1 : byMs;
        await db
          .update(images)
          .set({ status: status as 'active', sizeBytes: size, staged: isStaged ? STAGED : null, updatedAtMs: now })
          .where(eq(images.id, id));
        const open = (await spansOf(id)).filter((row) => row.endMs === null);
        const stored = status === 'active' || status === 'deactivated' || (status === 'uploading' && isStaged);
        expect(open.map((row) => [row.state, row.quantity])).toEqual(stored ? [[status, size]] : []);
      }
      const rows = await spansOf(id);
      for (const [at, row] of rows.entries()) {
        expect(row.startMs).toBeGreaterThanOrEqual(rows[at - 1]?.endMs ?? BORN_MS - 20_000);
        expect(row.endMs ?? row.startMs).toBeGreaterThanOrEqual(row.startMs);
      }
    }),
    { numRuns: RUNS },
  );
});

async function newAddress(): Promise<{ id: string; portId: string }> {
  const [networkId, floatingPortId, portId, id] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const row = { region: 'r', projectId: 'p', createdAtMs: BORN_MS, updatedAtMs: BORN_MS };
  const port = (one: string) => ({ ...row, id: one, networkId, macAddress: one });
  await db.batch([
    db.insert(networks).values({ ...row, id: networkId }),
    db.insert(ports).values([port(floatingPortId), port(portId)]),
    db
      .insert(floatingIps)
      .values({ ...row, id, floatingNetworkId: networkId, floatingPortId, floatingIpAddress: '192.0.2.7' }),
  ]);
  return { id, portId };
}

it('tells a floating IP that is used from one that is only held, until it is given back', async () => {
  const { id, portId } = await newAddress();
  await db
    .update(floatingIps)
    .set({ portId, updatedAtMs: BORN_MS + 10 })
    .where(eq(floatingIps.id, id));
  // A report of the machine: nothing that is charged.
  await db
    .update(floatingIps)
    .set({ status: 'ACTIVE', updatedAtMs: BORN_MS + 15 })
    .where(eq(floatingIps.id, id));
  await db
    .update(floatingIps)
    .set({ portId: null, updatedAtMs: BORN_MS + 20 })
    .where(eq(floatingIps.id, id));
  await db.delete(floatingIps).where(eq(floatingIps.id, id));
  const spans = await spansOf(id);
  expect(spans.map(({ state, startMs }) => [state, startMs - BORN_MS])).toEqual([
    ['idle', 0],
    ['associated', 10],
    ['idle', 20],
  ]);
  expect(spans.map(({ endMs }) => endMs !== null)).toEqual([true, true, true]);
  expect(spans[0]).toMatchObject({ resourceType: 'floating_ip', resourceName: '192.0.2.7', itemType: 'default' });
});

it('ends with a row that is removed, by the clock of the database, and never before it began', async () => {
  const [server, image, router] = [await newServer(), await newImage({ status: 'active', sizeBytes: 7 }), randomUUID()];
  const row = { region: 'r', projectId: 'p', createdAtMs: 1_000, updatedAtMs: 1_000 };
  await db.insert(routers).values({ id: router, name: 'r1', ...row });
  const before = Date.now();
  await db.batch([
    db.delete(servers).where(eq(servers.id, server)),
    db.delete(images).where(eq(images.id, image)),
    db.delete(routers).where(eq(routers.id, router)),
  ]);
  // Those were born in what is the future of the database: they end as they begin.
  expect(await spansOf(server)).toMatchObject([{ startMs: BORN_MS, endMs: BORN_MS }]);
  expect(await spansOf(image)).toMatchObject([{ quantity: 7, startMs: BORN_MS, endMs: BORN_MS }]);
  const [gone] = await spansOf(router);
  expect(gone?.endMs).toBeGreaterThanOrEqual(before - 1);
  expect(gone?.endMs).toBeLessThanOrEqual(Date.now() + 1);
});

it('takes the clock of the database for a change that says no time', async () => {
  const id = await newServer({ createdAtMs: 1_000, updatedAtMs: 1_000 });
  const before = Date.now();
  await db.run(sql`UPDATE servers SET vm_state = 'shelved' WHERE id = ${id}`);
  const [first, second] = await spansOf(id);
  expect(first?.endMs).toBeGreaterThanOrEqual(before - 1);
  expect(second).toMatchObject({ state: 'shelved', startMs: first?.endMs, endMs: null });
});

it('is undone with the transaction that made it', async () => {
  const id = await newServer();
  const failing = sql`INSERT INTO assertions (name) VALUES ('no')`;
  const change = db
    .update(servers)
    .set({ vmState: 'active', updatedAtMs: BORN_MS + 1 })
    .where(eq(servers.id, id));
  await expect(db.batch([change, db.run(failing)])).rejects.toThrow();
  expect(await spansOf(id)).toMatchObject([{ state: 'building', endMs: null }]);
});

it('follows a name without a new span', async () => {
  const id = await newServer();
  await db
    .update(servers)
    .set({ name: 'other', updatedAtMs: BORN_MS + 1 })
    .where(eq(servers.id, id));
  expect(await spansOf(id)).toMatchObject([{ resourceName: 'other', startMs: BORN_MS }]);
});

it('asks an index, however many spans there are', async () => {
  const plan = await db.all<{ detail: string }>(sql`EXPLAIN QUERY PLAN
    SELECT end_ms FROM usage_spans WHERE resource_type = 'server' AND resource_id = 'x' ORDER BY start_ms DESC, id DESC LIMIT 1`);
  expect(plan.map((row) => row.detail).join()).toMatch(/USING INDEX usage_spans_resource/);
  expect(plan.map((row) => row.detail).join()).not.toMatch(/TEMP B-TREE/);
});
