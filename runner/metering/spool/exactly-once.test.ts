import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomIds } from '../../../shared/ids.ts';
import { SAMPLE_EVERY_MS } from '../../../shared/meters.ts';
import type { Sample } from '../../../shared/protocol/messages.ts';
import { capturedLog } from '../../testing/captured-log.ts';
import { MeteredReceiver } from '../../testing/metered-receiver.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { Spool } from './spool.ts';

const METER = 'network.incoming.bytes';
const RESOURCES = ['a', 'b', 'c'];

/** What may happen, with numbers that decide what to. */
type Step =
  | { do: 'count'; of: number; more: number }
  /** Its counter ends, is read a last time, and begins from zero. */
  | { do: 'renew'; of: number }
  | { do: 'sample'; without: number; laterMs: number }
  | { do: 'send'; batches: number; fate: 'lost' | 'heard' | 'twice' }
  | { do: 'ack'; which: number; times: number }
  | { do: 'restart' }
  | { do: 'crash' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('count'), of: fc.nat(2), more: fc.nat(1000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('renew'), of: fc.nat(2) }) },
  {
    weight: 8,
    // A resource whose collector fails is missing; time may stand still or jump.
    arbitrary: fc.record({ do: fc.constant('sample'), without: fc.nat(5), laterMs: fc.integer({ min: -1, max: 30 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send'),
      batches: fc.integer({ min: 1, max: 5 }),
      fate: fc.constantFrom('lost', 'heard', 'heard', 'twice'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('ack'), which: fc.nat(9), times: fc.integer({ min: 0, max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart', 'crash') }) },
) as fc.Arbitrary<Step>;

/** The machine, the spool and the edge. */
class World {
  readonly #path: string;
  readonly #bytesMax: number;
  #spool: Spool;
  readonly #receiver = new MeteredReceiver();
  readonly #acks: { spool_id: string; seq: number }[] = [];
  readonly #counters = RESOURCES.map((id) => ({ id, epoch: 0, value: 0, total: 0 }));
  #last: Sample[] = [];
  #atMs = 0;

  constructor(path: string, bytesMax: number) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#spool = this.#open();
  }

  #open(): Spool {
    const rest = { clock: { nowMs: () => 0 }, ids: randomIds, log: capturedLog() };
    return new Spool({ path: this.#path, bytesMax: this.#bytesMax, ...rest });
  }

  does(one: Step): void {
    if (one.do === 'count' || one.do === 'renew') {
      const counter = this.#counters[one.of];
      if (!counter) return;
      if (one.do === 'renew') {
        this.#last.push(sampleOf(counter));
        counter.epoch++;
        counter.value = 0;
      } else {
        counter.value += one.more;
        counter.total += one.more;
      }
    } else if (one.do === 'sample') this.#sample(one.without, one.laterMs * SAMPLE_EVERY_MS);
    else if (one.do === 'send') {
      const batches = this.#spool.next(one.batches);
      if (batches.length === 0 || one.fate === 'lost') return;
      for (let time = 0; time < (one.fate === 'twice' ? 2 : 1); time++) this.#hears(batches);
    } else if (one.do === 'ack') {
      const ack = this.#acks[one.which % (this.#acks.length || 1)];
      for (let time = 0; ack && time < one.times; time++) this.#spool.acked(ack.spool_id, ack.seq);
    } else {
      if (one.do === 'restart') this.#spool.close();
      this.#spool = this.#open();
    }
  }

  #sample(without: number, laterMs: number): void {
    this.#atMs = Math.max(0, this.#atMs + laterMs);
    const read = this.#counters.filter((_, index) => index !== without).map(sampleOf);
    this.#spool.append(this.#atMs, 'boot', [...this.#last, ...read]);
    this.#last = [];
  }

  #hears(batches: unknown): void {
    this.#acks.push(this.#receiver.take({ type: 'metered', spool_id: this.#spool.id, batches }));
  }

  /** Everything is sampled, sent and acknowledged. @returns what was told and what is true */
  end(): { told: number[]; true: number[]; bytes: number } {
    this.#sample(-1, SAMPLE_EVERY_MS);
    const { bytes } = this.#spool;
    for (;;) {
      const batches = this.#spool.next();
      if (batches.length === 0) break;
      this.#hears(batches);
      const ack = this.#acks.at(-1);
      this.#spool.acked(ack?.spool_id ?? '', ack?.seq ?? 0);
    }
    this.#spool.close();
    const told = this.#counters.map(({ id }) => this.#receiver.told.sum(id, METER));
    return { told, true: this.#counters.map(({ total }) => total), bytes };
  }
}

const sampleOf = ({ id, epoch, value }: { id: string; epoch: number; value: number }): Sample => ({
  type: 'port',
  id,
  epoch: `e${epoch}`,
  values: { [METER]: value },
});

it('whatever is thinned, lost, doubled, late or cut short, differences add up to what was counted', () => {
  const folder = temporaryFolder();
  let runs = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(400, 2_000, 1_000_000), (steps, bytesMax) => {
      const path = join(folder, `${runs++}.db`);
      const world = new World(path, bytesMax);
      for (const one of steps) world.does(one);
      const end = world.end();
      expect(end.told).toEqual(end.true);
      for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    }),
    { numRuns: 120 },
  );
});
