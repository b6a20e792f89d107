import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { ledgerDigest } from '../../../shared/ledger-digest.ts';
import type { MessageOf } from '../../../shared/protocol/messages.ts';
import { edgeContext } from '../../../test/edge-context.ts';
import { EdgeRunner, enrol } from '../../../test/edge-runner.ts';
import { desiredRows, group, isDesired, runnerRow, unwant, want } from '../../../test/edge-wishes.ts';
import { commitAll } from '../../http/commit.ts';
import { putDesired } from '../desired.ts';

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
        edgeContext(),
        ids
          .slice(at, at + 301)
          .map((id) => putDesired(edgeContext().db, there, { kind: 'security-group', id, spec: group(id) })),
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
    const deaf = { ...edgeContext(), fleet: { poke: () => {}, query: () => Promise.reject(new Error('unused')) } };
    await commitAll(
      deaf,
      [putDesired(edgeContext().db, there, { kind: 'security-group', id, spec: group(id) })],
      there,
    );
    link.send({ type: 'heartbeat', generation: 0, guests: 3 });
    await link.next(isDesired(id));
    expect(await runnerRow(runner.id)).toMatchObject({ guests: 3 });
  });
});
