import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DesiredObject } from '../../../shared/protocol/messages.ts';
import { keyOf, type LedgerObject } from './ledger-object.ts';
import { planSeries, type Series } from './plan-series.ts';

const object = (id: string, generation: number, change: Partial<DesiredObject> = {}): DesiredObject => ({
  kind: 'network',
  id,
  generation,
  digest: `${id}@${generation}`,
  deleted: false,
  spec: { generation },
  ...change,
});
const series = (generation: number, objects: DesiredObject[], full = false): Series => ({
  generation,
  full,
  complete: true,
  objects,
});

/** A ledger in memory: what `Ledger` does with a plan. */
class Model {
  generation = 0;
  readonly objects = new Map<string, LedgerObject>();
  take(taken: Series) {
    const plan = planSeries(this, taken);
    for (const put of plan.puts) this.objects.set(keyOf(put), put);
    this.generation = plan.generation;
    return plan;
  }
  get live() {
    const live = [...this.objects.values()].filter((one) => !one.deleted);
    return live.map((one) => `${keyOf(one)}@${one.generation}`).sort();
  }
}

describe('the rules of the ledger', () => {
  it('takes what is new and what is newer', () => {
    const ledger = new Model();
    ledger.take(series(1, [object('a', 1)]));
    ledger.take(series(2, [object('a', 2), object('b', 2)]));
    expect(ledger.live).toEqual(['network/a@2', 'network/b@2']);
    expect(ledger.generation).toBe(2);
  });

  it('refuses a series older than the ledger, whole', () => {
    const ledger = new Model();
    ledger.take(series(5, [object('a', 5)]));
    const plan = ledger.take(series(4, [object('b', 4)], true));
    expect(plan.accepted).toBe(false);
    expect(ledger.live).toEqual(['network/a@5']);
  });

  it('refuses an object older than the one held', () => {
    const ledger = new Model();
    ledger.take(series(5, [object('a', 5)]));
    const plan = ledger.take(series(6, [object('a', 4), object('b', 6)]));
    expect(plan.refusals.map(({ reason }) => reason)).toEqual(['older']);
    expect(ledger.live).toEqual(['network/a@5', 'network/b@6']);
  });

  it('refuses the generation held with other content, and says so', () => {
    const ledger = new Model();
    ledger.take(series(1, [object('a', 1)]));
    expect(ledger.take(series(1, [object('a', 1, { digest: 'other' })])).refusals[0]?.reason).toBe('conflict');
    expect(ledger.take(series(1, [object('a', 1, { deleted: true, digest: 'a@1' })])).refusals[0]?.reason).toBe(
      'conflict',
    );
    expect(ledger.objects.get('network/a')?.digest).toBe('a@1');
  });

  it('changes nothing when the same comes again', () => {
    const ledger = new Model();
    const same = series(1, [object('a', 1)]);
    ledger.take(same);
    expect(ledger.take(same)).toMatchObject({ accepted: true, puts: [], refusals: [] });
  });

  it('removes what a full series does not name, and nothing for a partial one', () => {
    const ledger = new Model();
    ledger.take(series(1, [object('a', 1), object('b', 1)]));
    ledger.take(series(2, [object('c', 2)]));
    expect(ledger.live).toHaveLength(3);
    ledger.take(series(3, [object('b', 1)], true));
    expect(ledger.live).toEqual(['network/b@1']);
    expect(ledger.objects.get('network/a')).toMatchObject({ deleted: true, spec: { generation: 1 }, digest: '' });
  });

  it('takes an object back that a full series forgot by mistake, at its old generation', () => {
    const ledger = new Model();
    ledger.take(series(1, [object('a', 1)]));
    ledger.take(series(2, [], true));
    ledger.take(series(2, [object('a', 1)], true));
    expect(ledger.live).toEqual(['network/a@1']);
  });

  it('keeps the last spec in a tombstone, for the driver that removes it', () => {
    const ledger = new Model();
    ledger.take(series(1, [object('a', 1)]));
    ledger.take(series(2, [object('a', 2, { deleted: true, spec: null })]));
    expect(ledger.objects.get('network/a')).toMatchObject({ deleted: true, generation: 2, spec: { generation: 1 } });
  });
});

/** A history of an edge: each step changes some objects; what the edge holds after each is known. */
const history = fc.array(
  fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e'), deleted: fc.boolean() }), { maxLength: 4 }),
  { minLength: 1, maxLength: 12 },
);

function play(steps: { id: string; deleted: boolean }[][]) {
  const now = new Map<string, DesiredObject>();
  const partial: Series[] = [];
  const full: Series[] = [];
  steps.forEach((step, index) => {
    const generation = index + 1;
    const changed = new Map<string, DesiredObject>();
    for (const { id, deleted } of step) {
      if (deleted && !now.has(id)) continue;
      const gone = { deleted: true, spec: null, digest: 'gone' };
      changed.set(id, object(id, generation, deleted ? gone : {}));
    }
    for (const [id, one] of changed) now.set(id, one);
    partial.push(series(generation, [...changed.values()]));
    full.push(series(generation, [...now.values()], true));
  });
  const live = [...now.values()].filter((one) => !one.deleted).map((one) => `network/${one.id}@${one.generation}`);
  return { partial, full, live: live.sort() };
}

describe('any order and any repetition', () => {
  it('of whole views ends in the newest', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), (steps, picks) => {
        const { full, live } = play(steps);
        const ledger = new Model();
        for (let at = 0; at < 3 * full.length; at += 1) {
          const pick = full[(picks.next().value ?? 0) % full.length];
          if (pick) ledger.take(pick);
        }
        const last = full.at(-1);
        if (last) ledger.take(last);
        for (const older of full) ledger.take(older);
        expect(ledger.live).toEqual(live);
        expect(ledger.generation).toBe(steps.length);
      }),
    );
  });

  it('of changes, in order but repeated at will, ends in what the edge holds', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat({ max: 3 })), (steps, back) => {
        const { partial, live } = play(steps);
        const ledger = new Model();
        partial.forEach((one, index) => {
          ledger.take(one);
          const again = partial[index - (back.next().value ?? 0)];
          if (again) ledger.take(again);
        });
        expect(ledger.live).toEqual(live);
      }),
    );
  });

  it('of changes that get lost is put right by one whole view', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), (steps, picks) => {
        const { partial, full, live } = play(steps);
        const ledger = new Model();
        for (let at = 0; at < partial.length; at += 1) {
          const pick = partial[(picks.next().value ?? 0) % partial.length];
          if (pick) ledger.take(pick);
        }
        const last = full.at(-1);
        if (last) ledger.take(last);
        expect(ledger.live).toEqual(live);
      }),
    );
  });

  it('never lets an object go back to an older generation', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), (steps, picks) => {
        const { partial, full } = play(steps);
        const all = [...partial, ...full];
        const ledger = new Model();
        const seen = new Map<string, number>();
        for (let at = 0; at < 2 * all.length; at += 1) {
          const pick = all[(picks.next().value ?? 0) % all.length];
          if (pick) ledger.take(pick);
          for (const [key, one] of ledger.objects) {
            expect(one.generation).toBeGreaterThanOrEqual(seen.get(key) ?? 0);
            seen.set(key, one.generation);
          }
        }
      }),
    );
  });
});
