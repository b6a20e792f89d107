import { env } from 'cloudflare:test';
import { eq, sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { desired, operations, runners } from '../../db/schema/fleet.ts';
import { systemClock } from '../../shared/clock.ts';
import { randomIds } from '../../shared/ids.ts';
import { ledgerDigest } from '../../shared/ledger-digest.ts';
import type { MessageOf } from '../../shared/protocol/messages.ts';
import { adminToken, call } from '../../test/edge-client.ts';
import { EdgeRunner, enrol, newKeys, publicKeyText, sign } from '../../test/edge-runner.ts';
import type { Env } from '../env.ts';
import { commitAll } from '../http/commit.ts';
import { databaseOf, makeContext } from '../http/make-context.ts';
import { dropDesired, putDesired } from './desired.ts';

const bindings = env as unknown as Env;
const db = databaseOf(bindings);

function context() {
  const pending: Promise<unknown>[] = [];
  return makeContext(bindings, {
    clock: systemClock,
    ids: randomIds,
    requestId: 'req-test',
    region: 'RegionOne',
    baseUrl: '',
    waitUntil: (promise) => pending.push(promise),
  });
}

const group = (id: string) => ({ id, stateful: true, rules: [] });

/** Wants a security group on a runner, as a verb would. */
async function want(runnerId: string, id: string = crypto.randomUUID()): Promise<string> {
  const there = sql`runners.id = ${runnerId}`;
  await commitAll(context(), [putDesired(db, there, { kind: 'security-group', id, spec: group(id) })], there);
  return id;
}

async function unwant(runnerId: string, id: string): Promise<void> {
  await commitAll(
    context(),
    [dropDesired(db, 'security-group', sql`desired.runner_id = ${runnerId} AND desired.id = ${id}`)],
    sql`runners.id = ${runnerId}`,
  );
}

const runnerRow = async (id: string) => (await db.select().from(runners).where(eq(runners.id, id)))[0];
const desiredRows = (runnerId: string) => db.select().from(desired).where(eq(desired.runnerId, runnerId));
const isDesired = (id: string) => (message: { type: string }) =>
  message.type === 'desired' && (message as MessageOf<'desired'>).objects.some((object) => object.id === id);

describe('hello', () => {
  it('welcomes the key that enrolled and shows the runner as connected', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.connect(runner);
    expect(link.welcome).toMatchObject({ type: 'welcome', epoch: 1, protocol: 1 });
    expect(await runnerRow(runner.id)).toMatchObject({ connected: true, bootId: 'boot-1', epoch: 1 });
    link.close();
    await expect.poll(async () => (await runnerRow(runner.id))?.connected).toBe(false);
  });

  it('refuses another key, another machine, another protocol', async () => {
    const { runner } = await enrol();
    const thief = { ...runner, keys: await newKeys() };
    const answers = [
      (await EdgeRunner.connect(thief)).welcome,
      (await EdgeRunner.connect({ ...runner, machineId: 'another' })).welcome,
      (await EdgeRunner.connect(runner, { protocol: [7, 9] })).welcome,
    ];
    expect(answers.map((answer) => answer?.type === 'reject' && answer.code)).toEqual([
      'bad-signature',
      'other-machine',
      'protocol',
    ]);
    expect((await runnerRow(runner.id))?.epoch).toBe(0);
  });

  it('refuses a signature made for another challenge', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.open(runner);
    await link.hello({ signature: await sign(runner.keys, 'aerostat-hello:v1:another') });
    expect(await link.next((message) => message.type === 'reject')).toMatchObject({
      code: 'bad-signature',
      retry: false,
    });
  });

  it('fences the older session of the same machine by a new epoch', async () => {
    const { runner } = await enrol();
    const older = await EdgeRunner.connect(runner);
    const newer = await EdgeRunner.connect(runner);
    expect(newer.epoch).toBe(older.epoch + 1);
    expect(await older.next((message) => message.type === 'reject')).toMatchObject({ code: 'fenced' });
    await older.end();
    const id = await want(runner.id);
    await newer.next(isDesired(id));
  });

  it('refuses a second machine while the first is connected', async () => {
    const { runner } = await enrol();
    const first = await EdgeRunner.connect(runner);
    const second = await EdgeRunner.connect(runner, { boot_id: 'boot-2' });
    expect(second.welcome).toMatchObject({ type: 'reject', code: 'duplicate', retry: true });
    const id = await want(runner.id);
    await first.next(isDesired(id));
  });

  it('lets a machine back in at once when it was started anew and its lease is over', async () => {
    const { runner } = await enrol();
    await EdgeRunner.connect(runner);
    await db.update(runners).set({ leaseExpiresAtMs: 1 }).where(eq(runners.id, runner.id));
    expect((await EdgeRunner.connect(runner, { boot_id: 'boot-2' })).welcome).toMatchObject({ type: 'welcome' });
  });

  it('lets a removed runner in no more, and ends its session', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.connect(runner);
    await call('DELETE', `/aerostat/v1/runners/${runner.id}`, { token: await adminToken() });
    expect(await link.next((message) => message.type === 'reject')).toMatchObject({ code: 'removed', retry: false });
    expect((await EdgeRunner.connect(runner)).welcome).toMatchObject({ type: 'reject', code: 'removed' });
  });
});

describe('desired state', () => {
  it('is sent at the hello and as it changes, with the digest of the whole', async () => {
    const { runner } = await enrol();
    const before = await want(runner.id);
    const link = await EdgeRunner.connect(runner);
    const first = (await link.next(isDesired(before))) as MessageOf<'desired'>;
    expect(first).toMatchObject({ full: true, complete: true });
    expect(first.ledger_digest).toBe(await ledgerDigest(first.objects));
    const after = await want(runner.id);
    const second = (await link.next(isDesired(after))) as MessageOf<'desired'>;
    expect(second).toMatchObject({ full: false, complete: true });
    expect(second.objects.map((object) => object.id)).toEqual([after]);
  });

  it('sends a runner that comes back only what it lacks', async () => {
    const { runner } = await enrol();
    const old = await want(runner.id);
    const row = await runnerRow(runner.id);
    const newer = await want(runner.id);
    const link = await EdgeRunner.connect(runner, {
      generation: row?.generation,
      digest: await ledgerDigest([{ kind: 'security-group', id: old, generation: row?.generation ?? 0 }]),
    });
    const series = (await link.next((message) => message.type === 'desired')) as MessageOf<'desired'>;
    expect(series.objects.map((object) => object.id)).toEqual([newer]);
    expect(series.full).toBe(false);
  });

  it('sends everything when the ledger is not what it should be, or asks for it', async () => {
    const { runner } = await enrol();
    const id = await want(runner.id);
    const generation = (await runnerRow(runner.id))?.generation ?? 0;
    const link = await EdgeRunner.connect(runner, { generation, digest: 'wrong' });
    expect(await link.next(isDesired(id))).toMatchObject({ full: true });
    link.send({ type: 'resync', reason: 'test' });
    expect(await link.next(isDesired(id))).toMatchObject({ full: true });
  });

  it('splits a long series, and only its last part is complete', async () => {
    const { runner } = await enrol();
    const there = sql`runners.id = ${runner.id}`;
    const ids = Array.from({ length: 1201 }, () => crypto.randomUUID());
    for (let at = 0; at < ids.length; at += 301) {
      await commitAll(
        context(),
        ids.slice(at, at + 301).map((id) => putDesired(db, there, { kind: 'security-group', id, spec: group(id) })),
        there,
      );
    }
    const link = await EdgeRunner.connect(runner);
    const parts: MessageOf<'desired'>[] = [];
    do parts.push((await link.next((message) => message.type === 'desired')) as MessageOf<'desired'>);
    while (!parts.at(-1)?.complete);
    expect(parts.map((part) => part.objects.length)).toEqual([500, 500, 201]);
    expect(new Set(parts.flatMap((part) => part.objects.map((object) => object.id)))).toEqual(new Set(ids));
  });

  it('is new again for a ledger that is ahead of a restored database', async () => {
    const { runner } = await enrol();
    const id = await want(runner.id);
    const link = await EdgeRunner.connect(runner, { generation: 5000, digest: 'of the lost future' });
    const series = (await link.next(isDesired(id))) as MessageOf<'desired'>;
    expect(series).toMatchObject({ complete: true, generation: 5001 });
    expect(series.objects).toMatchObject([{ id, generation: 5001 }]);
  });

  it('keeps a tombstone until its absence is reported', async () => {
    const { runner } = await enrol();
    const id = await want(runner.id);
    const link = await EdgeRunner.connect(runner);
    await link.next(isDesired(id));
    await unwant(runner.id, id);
    const series = (await link.next(isDesired(id))) as MessageOf<'desired'>;
    expect(series.objects[0]).toMatchObject({ id, deleted: true, spec: null });
    const generation = series.objects[0]?.generation ?? 0;
    link.send({
      type: 'observed',
      complete: false,
      observations: [{ kind: 'security-group', id, generation: generation - 1, state: 'absent' }],
    });
    await link.settled();
    expect(await desiredRows(runner.id)).toHaveLength(1);
    link.send({
      type: 'observed',
      complete: false,
      observations: [{ kind: 'security-group', id, generation, state: 'absent' }],
    });
    await link.settled();
    expect(await desiredRows(runner.id)).toHaveLength(0);
  });

  it('finds what a lost poke left behind at the next heartbeat', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.connect(runner);
    const id = crypto.randomUUID();
    const there = sql`runners.id = ${runner.id}`;
    const deaf = { ...context(), fleet: { poke: () => {}, query: () => Promise.reject(new Error('unused')) } };
    await commitAll(deaf, [putDesired(db, there, { kind: 'security-group', id, spec: group(id) })], there);
    link.send({ type: 'heartbeat', generation: 0, guests: 3 });
    await link.next(isDesired(id));
    expect(await runnerRow(runner.id)).toMatchObject({ guests: 3 });
  });
});

describe('what a runner says', () => {
  it('is done once, however often it is said', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.connect(runner);
    const seq = link.send({ type: 'unknown', objects: [{ kind: 'server', id: 'stray' }] });
    link.send({ type: 'unknown', objects: [] }, { seq });
    link.send({ type: 'heartbeat', generation: 0, guests: 0 });
    await link.settled();
    expect((await runnerRow(runner.id))?.unknownObjects).toMatchObject([{ kind: 'server', id: 'stray' }]);
  });

  it('is dropped when it comes from an older epoch or another session', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.connect(runner);
    link.send({ type: 'heartbeat', generation: 0, guests: 77 }, { epoch: link.epoch - 1 });
    link.send({ type: 'heartbeat', generation: 0, guests: 78 }, { session: 'another' });
    link.send({ type: 'heartbeat', generation: 0, guests: 5 });
    await link.settled();
    expect((await runnerRow(runner.id))?.guests).toBe(5);
  });

  it('survives members and messages of a newer version', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.connect(runner);
    link.socket.send(
      JSON.stringify({
        v: 1,
        session: link.session,
        epoch: link.epoch,
        seq: ++link.seq,
        ack: 0,
        ts_ms: 0,
        body: { type: 'from-the-future' },
      }),
    );
    link.send({ type: 'heartbeat', generation: 0, guests: 6, novelty: true } as never);
    await link.settled();
    expect((await runnerRow(runner.id))?.guests).toBe(6);
  });

  it('ends the session when a frame is missing', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.connect(runner);
    link.send({ type: 'heartbeat', generation: 0, guests: 8 }, { seq: link.seq + 2 });
    expect(await link.end()).toMatchObject({ code: 1013 });
    expect((await runnerRow(runner.id))?.guests).toBe(0);
  });

  it('is not lost when an answer overtakes it', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.connect(runner);
    link.send({ type: 'unknown', objects: [{ kind: 'server', id: 'overtaken' }] });
    link.send({ type: 'answer', query_id: 'nobody-asked', ok: true, result: {} });
    await link.settled();
    expect((await runnerRow(runner.id))?.unknownObjects).toMatchObject([{ id: 'overtaken' }]);
  });

  it('ends the session when it is garbage', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.connect(runner);
    link.socket.send('{"v":1,"session":"cut in the mid');
    expect(await link.end()).toMatchObject({ code: 1007 });
    expect((await EdgeRunner.connect(runner)).welcome).toMatchObject({ type: 'welcome' });
  });

  it('cannot touch another runner’s objects', async () => {
    const [a, b] = [(await enrol()).runner, (await enrol()).runner];
    const id = await want(b.id);
    await unwant(b.id, id);
    const thief = await EdgeRunner.connect(a);
    const generation = (await runnerRow(b.id))?.generation ?? 0;
    thief.send({
      type: 'observed',
      complete: false,
      observations: [{ kind: 'security-group', id, generation, state: 'absent' }],
    });
    await thief.settled();
    expect(await desiredRows(b.id)).toHaveLength(1);
    expect(thief.received.filter((frame) => isDesired(id)(frame.body))).toEqual([]);
  });
});

describe('operations', () => {
  it('are sent until they are ended, and ended once', async () => {
    const { runner } = await enrol();
    const opId = crypto.randomUUID();
    const now = Date.now();
    await db.insert(operations).values({
      opId,
      region: 'RegionOne',
      runnerId: runner.id,
      kind: 'reboot',
      targetKind: 'server',
      targetId: crypto.randomUUID(),
      targetEpoch: 1,
      requestId: 'req-1',
      state: 'queued',
      args: { type: 'SOFT' },
      deadlineMs: now + 60_000,
      createdAtMs: now,
    });
    const link = await EdgeRunner.connect(runner);
    expect(await link.next((message) => message.type === 'operation')).toMatchObject({
      op_id: opId,
      args: { type: 'SOFT' },
    });
    link.send({ type: 'operation-update', op_id: opId, state: 'done', result: { first: true } });
    await link.next((message) => message.type === 'operation-ack');
    link.send({ type: 'operation-update', op_id: opId, state: 'failed', fault: { code: 500, message: 'late' } });
    await link.settled();
    expect((await db.select().from(operations).where(eq(operations.opId, opId)))[0]).toMatchObject({
      state: 'done',
      result: { first: true },
    });
  });
});

describe('the key', () => {
  it('is replaced by one that the old key vouches for, and by no other', async () => {
    const { runner } = await enrol();
    const link = await EdgeRunner.open(runner);
    const challenge = (await link.next((message) => message.type === 'challenge')) as MessageOf<'challenge'>;
    link.received.push({ body: challenge } as never);
    await link.hello();
    const welcome = (await link.next((message) => message.type === 'welcome')) as MessageOf<'welcome'>;
    link.epoch = welcome.epoch;
    await call('POST', `/aerostat/v1/runners/${runner.id}/rotate`, { token: await adminToken() });
    await link.next((message) => message.type === 'rotate');
    const keys = await newKeys();
    const public_key = await publicKeyText(keys);
    link.send({
      type: 'rotated',
      public_key,
      signature: await sign(keys, `aerostat-rotate:v1:${challenge.nonce}:${runner.id}:${public_key}`),
    });
    expect(await link.next((message) => message.type === 'reject')).toMatchObject({ code: 'bad-signature' });
    link.send({
      type: 'rotated',
      public_key,
      signature: await sign(runner.keys, `aerostat-rotate:v1:${challenge.nonce}:${runner.id}:${public_key}`),
    });
    await link.settled();
    link.close();
    expect((await EdgeRunner.connect({ ...runner, keys })).welcome).toMatchObject({ type: 'welcome' });
    expect((await EdgeRunner.connect(runner)).welcome).toMatchObject({ type: 'reject', code: 'bad-signature' });
  });
});

describe('long polls', () => {
  it('carry the same conversation', async () => {
    const { runner } = await enrol();
    const id = await want(runner.id);
    const poll = async (session: string | null, frames: unknown[]) =>
      (
        await call('POST', `/aerostat/v1/runners/${runner.id}/poll`, {
          body: { session, frames: frames.map((frame) => JSON.stringify(frame)) },
        })
      ).json() as Promise<{ session: string; frames: string[] }>;
    const opened = await poll(null, []);
    const challenge = JSON.parse(opened.frames[0] ?? '{}') as { session: string; body: MessageOf<'challenge'> };
    const said = { runner_id: runner.id, machine_id: runner.machineId, boot_id: 'boot-1' };
    const signature = await sign(
      runner.keys,
      `aerostat-hello:v1:${challenge.body.nonce}:${runner.id}:${runner.machineId}:boot-1`,
    );
    const hello = {
      type: 'hello',
      ...said,
      signature,
      process_id: 'p',
      version: 't',
      protocol: [1, 1],
      hypervisor: 'simulated',
      hostname: 'h',
      capacity: { vcpus: 1, memory_mib: 1024, disk_gib: 1 },
      capabilities: [],
      generation: 0,
      digest: '',
      attempts: 0,
    };
    const welcomed = await poll(opened.session, [
      { v: 1, session: opened.session, epoch: 0, seq: 1, ack: 1, ts_ms: 0, body: hello },
    ]);
    const bodies = welcomed.frames.map((text) => (JSON.parse(text) as { body: { type: string } }).body);
    expect(bodies.map((body) => body.type)).toEqual(['welcome', 'desired']);
    expect(isDesired(id)(bodies[1] as { type: string })).toBe(true);
    const held = poll(opened.session, []);
    const later = await want(runner.id);
    const woken = (await held).frames.map((text) => (JSON.parse(text) as { body: { type: string } }).body);
    expect(woken.some(isDesired(later))).toBe(true);
  });

  it('hold one poll while an older one is let go', async () => {
    const { runner } = await enrol();
    const poll = async (session: string | null) =>
      (
        await call('POST', `/aerostat/v1/runners/${runner.id}/poll`, { body: { session, frames: [] } })
      ).json() as Promise<{
        session: string;
        frames: string[];
      }>;
    const { session } = await poll(null);
    const older = poll(session);
    const newer = poll(session);
    expect((await older).frames).toEqual([]);
    await call('DELETE', `/aerostat/v1/runners/${runner.id}`, { token: await adminToken() });
    // Never welcomed, so nobody tells it: it is held until its time is up, and not beyond.
    await expect(Promise.race([newer.then(() => 'let go'), older.then(() => 'held')])).resolves.toBe('held');
  });

  it('answer a lost session with 410', async () => {
    const { runner } = await enrol();
    const response = await call('POST', `/aerostat/v1/runners/${runner.id}/poll`, {
      body: { session: 'gone', frames: [] },
    });
    expect(response.status).toBe(410);
  });
});
