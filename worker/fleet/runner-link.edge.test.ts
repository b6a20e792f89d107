import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { operations, runners } from '../../db/schema/fleet.ts';
import type { MessageOf } from '../../shared/protocol/messages.ts';
import { adminToken, call } from '../../test/edge-client.ts';
import { edgeContext } from '../../test/edge-context.ts';
import { EdgeRunner, enrol, newKeys, publicKeyText, sign } from '../../test/edge-runner.ts';
import { desiredRows, isDesired, runnerRow, unwant, want } from '../../test/edge-wishes.ts';

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
    await edgeContext().db.update(runners).set({ leaseExpiresAtMs: 1 }).where(eq(runners.id, runner.id));
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
    await edgeContext()
      .db.insert(operations)
      .values({
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
    expect((await edgeContext().db.select().from(operations).where(eq(operations.opId, opId)))[0]).toMatchObject({
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
