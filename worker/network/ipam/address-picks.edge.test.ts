import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipAllocations, networks, ports, subnets } from '../../../db/schema/network.ts';
import { actorContextOf } from '../../../test/edge-context.ts';
import { net, newMember, newNetwork } from '../../../test/edge-network.ts';
import type { Actor } from '../../../test/edge-tokens.ts';
import { runBatch } from '../../http/commit.ts';
import { makePicker, type PickRow, readPicks, type SubnetRow } from './address-picks.ts';
import type { Random } from './random.ts';

type Answer = Awaited<ReturnType<typeof net>>;
const addressesOf = (answers: Answer[]): string[] =>
  answers
    .filter(({ status }) => status === 201)
    .flatMap(({ body }) => [body.port ?? [], body.ports ?? []].flat())
    .flatMap((port: { fixed_ips: { ip_address: string }[] }) => port.fixed_ips.map((one) => one.ip_address));
const createPort = (actor: Actor, networkId: string) =>
  net(actor, 'POST', '/ports', { port: { network_id: networkId } });

describe('addresses under races', () => {
  it('fifty parallel creates in a /26 get fifty addresses', async () => {
    const actor = await newMember();
    const { networkId } = await newNetwork(actor, { cidr: '10.50.0.0/26' });
    const answers = await Promise.all(Array.from({ length: 50 }, () => createPort(actor, networkId)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(201));
    expect(new Set(addressesOf(answers)).size).toBe(50);
  });

  it('exhaustion refuses exactly the surplus, and what is given back is handed out again', async () => {
    const actor = await newMember();
    const { networkId } = await newNetwork(actor, { cidr: '10.51.0.0/27' });
    const answers = await Promise.all(Array.from({ length: 40 }, () => createPort(actor, networkId)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(29);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.map(({ status, body }) => [status, body.NeutronError.type])).toEqual(
      Array(11).fill([409, 'IpAddressGenerationFailure']),
    );
    expect(new Set(addressesOf(answers)).size).toBe(29);
    const one = answers.find(({ status }) => status === 201);
    await net(actor, 'DELETE', `/ports/${one?.body.port.id}`);
    const again = await createPort(actor, networkId);
    expect(addressesOf([again])).toEqual(addressesOf(one ? [one] : []));
  });

  it('one bulk create takes all that is left, or nothing', async () => {
    const actor = await newMember();
    const { networkId } = await newNetwork(actor, { cidr: '10.52.0.0/28' });
    const bulk = (count: number) =>
      net(actor, 'POST', '/ports', { ports: Array.from({ length: count }, () => ({ network_id: networkId })) });
    expect((await bulk(14)).status).toBe(409);
    const all = await bulk(13);
    expect(new Set(addressesOf([all])).size).toBe(13);
    expect((await createPort(actor, networkId)).status).toBe(409);
  });

  it('bulk and single creates at once share out a subnet', async () => {
    const actor = await newMember();
    const { networkId } = await newNetwork(actor, { cidr: '10.53.0.0/27' });
    const ports = Array.from({ length: 9 }, () => ({ network_id: networkId }));
    const answers = await Promise.all([
      ...Array.from({ length: 11 }, () => createPort(actor, networkId)),
      ...[0, 1].map(() => net(actor, 'POST', '/ports', { ports })),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array(13).fill(201));
    expect(new Set(addressesOf(answers)).size).toBe(29);
  });
});

/** A seed that a test names, so that a failure can be run again. */
const seeded = (seed: number): Random => {
  let state = seed >>> 0;
  return {
    below(limit) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state * 2 ** 20 + (state % 2 ** 20)) % limit;
    },
  };
};

describe('readPicks', () => {
  const SIZE = 40;
  it('finds what is free in the pools, as many as are asked for, wherever it starts', async () => {
    const ctx = actorContextOf(crypto.randomUUID());
    const world = fc.record({
      used: fc.uniqueArray(fc.integer({ min: 0, max: SIZE - 1 })),
      cuts: fc.uniqueArray(fc.integer({ min: 0, max: SIZE - 1 }), { minLength: 2, maxLength: 6 }),
      count: fc.integer({ min: 1, max: 5 }),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(world, async ({ used, cuts, count, seed }) => {
        const sorted = cuts.toSorted((a, b) => a - b);
        const pools = sorted.flatMap((first, index) =>
          index % 2 === 0 && sorted[index + 1] !== undefined ? [{ first, last: sorted[index + 1] as number }] : [],
        );
        const { subnet, picks } = await pick(ctx, { used, pools, count, seed });
        const inPools = pools.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, at) => first + at),
        );
        const free = new Set(inPools.filter((offset) => !used.includes(offset)));
        const found = picks.map((row) => row.host_offset);
        expect(new Set(found).size).toBe(found.length);
        expect(found.filter((offset) => !free.has(offset))).toEqual([]);
        expect(found.length).toBeGreaterThanOrEqual(Math.min(count, free.size));
        const picker = makePicker([subnet], picks, seeded(seed));
        const taken = Array.from({ length: count }, () => picker.take([subnet.id])?.hostOffset);
        expect(taken.filter((offset) => offset !== undefined)).toHaveLength(Math.min(count, free.size));
        expect(new Set(taken.filter((offset) => offset !== undefined)).size).toBe(Math.min(count, free.size));
      }),
      { numRuns: 60 },
    );
  });

  it('starts anywhere in a large IPv6 pool', async () => {
    const ctx = actorContextOf(crypto.randomUUID());
    const last = Number.MAX_SAFE_INTEGER;
    const { picks } = await pick(ctx, { used: [], pools: [{ first: 1, last }], count: 1, seed: 7, cidr: 'fd00::/64' });
    expect(picks.length).toBeGreaterThan(0);
    expect(picks.every((row) => Number.isSafeInteger(row.host_offset) && row.host_offset <= last)).toBe(true);
  });
});

async function pick(
  ctx: ReturnType<typeof actorContextOf>,
  given: { used: number[]; pools: { first: number; last: number }[]; count: number; seed: number; cidr?: string },
): Promise<{ subnet: SubnetRow; picks: PickRow[] }> {
  const [networkId, subnetId, portId] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const common = { region: ctx.region, projectId: ctx.actor.projectId ?? '', createdAtMs: 0, updatedAtMs: 0 };
  const cidr = given.cidr ?? '10.60.0.0/24';
  const results = await runBatch(ctx.db, [
    ctx.db.insert(networks).values({ ...common, id: networkId }),
    ctx.db.insert(subnets).values({
      ...common,
      id: subnetId,
      networkId,
      ipVersion: cidr.includes(':') ? 6 : 4,
      cidr,
      allocationPools: given.pools.map((pool) => ({ ...pool, start: '', end: '' })),
    }),
    ctx.db.insert(ports).values({ ...common, id: portId, networkId, macAddress: portId }),
    ...(given.used.length > 0
      ? [
          ctx.db
            .insert(ipAllocations)
            .values(given.used.map((hostOffset) => ({ subnetId, hostOffset, ipAddress: `${hostOffset}`, portId }))),
        ]
      : []),
    ctx.db.select().from(subnets).where(sql`subnets.id = ${subnetId}`),
    readPicks(ctx.db, sql`subnets.id = ${subnetId}`, given.count, seeded(given.seed)),
  ]);
  return { subnet: (results.at(-2) as SubnetRow[])[0] as SubnetRow, picks: results.at(-1) as PickRow[] };
}
