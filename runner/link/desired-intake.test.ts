import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ledgerDigest } from '../../shared/ledger-digest.ts';
import type { DesiredObject, MessageOf, RunnerMessage } from '../../shared/protocol/messages.ts';
import { capturedLog } from '../testing/captured-log.ts';
import { id, networkOf } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { DesiredIntake, SERIES_OBJECTS_MAX } from './desired-intake.ts';
import { Ledger } from './ledger/ledger.ts';

const network = (number: number, generation: number): DesiredObject => ({
  kind: 'network',
  id: id(number),
  generation,
  digest: 'd',
  deleted: false,
  spec: networkOf(number),
});
const desired = (generation: number, change: Partial<MessageOf<'desired'>> = {}): MessageOf<'desired'> => ({
  type: 'desired',
  generation,
  full: false,
  complete: true,
  objects: [network(generation, generation)],
  ...change,
});

function setUp() {
  const time = new VirtualTime();
  const log = capturedLog();
  const ledger = Ledger.open(join(temporaryFolder(), 'ledger.db'), time, log);
  onTestFinished(() => ledger.close());
  const sent: RunnerMessage[] = [];
  const accepted: number[] = [];
  let corrupt = 0;
  const intake = new DesiredIntake({
    ledger,
    time,
    log,
    send: (message) => sent.push(message),
    accepted: (changed) => accepted.push(changed.length),
    corrupt: () => {
      corrupt += 1;
    },
  });
  const digests = vi.spyOn(ledger, 'digest');
  /** Digests are computed by the platform, outside of virtual time. */
  const settled = async () => {
    await Promise.all(digests.mock.results.map((result) => result.value as Promise<string>));
    await time.pass(0);
  };
  const pages = (max: number) => ledger.store.prepare(`PRAGMA max_page_count=${max}`).all([]);
  const fill = () => pages(Number(ledger.store.prepare('PRAGMA page_count').all([])[0]?.page_count));
  const many = (generation: number, full: boolean) =>
    desired(generation, { full, objects: Array.from({ length: 200 }, (_, at) => network(at, generation)) });
  return {
    time,
    log,
    ledger,
    sent,
    accepted,
    intake,
    fill,
    room: () => pages(100_000),
    many,
    settled,
    corrupt: () => corrupt,
  };
}

describe('series', () => {
  it('count when they are complete, and not before', () => {
    const { intake, ledger, accepted } = setUp();
    intake.take(desired(2, { complete: false, objects: [network(1, 1)] }));
    expect(ledger.objects.size).toBe(0);
    intake.take(desired(2, { objects: [network(2, 2)] }));
    expect(accepted).toEqual([2]);
    expect(ledger.generation).toBe(2);
  });

  it('that are begun anew leave nothing behind', () => {
    const { intake, ledger } = setUp();
    intake.take(desired(2, { complete: false, objects: [network(1, 1)] }));
    intake.take(desired(3, { objects: [network(3, 3)] }));
    expect([...ledger.objects.keys()]).toEqual([`network/${id(3)}`]);
    intake.take(desired(4, { full: true, complete: false, objects: [] }));
    intake.reset();
    intake.take(desired(4, { full: true, objects: [network(3, 3)] }));
    expect(ledger.objects.size).toBe(1);
  });

  it('without end are refused', async () => {
    const { intake, sent, time, ledger } = setUp();
    const objects = Array.from({ length: 50_000 }, (_, at) => network(at, 1));
    for (let at = 0; at <= SERIES_OBJECTS_MAX; at += objects.length)
      intake.take(desired(1, { complete: false, objects }));
    await time.pass(0);
    expect(sent).toMatchObject([{ type: 'resync' }]);
    expect(ledger.objects.size).toBe(0);
  });
});

describe('a disk that is full', () => {
  it('holds up all that is new until a whole view can be written; it is asked for ever more seldom', async () => {
    const { intake, ledger, sent, time, fill, room, many, log } = setUp();
    intake.take(desired(1));
    fill();
    intake.take(many(2, false));
    expect(ledger.generation).toBe(1);
    await time.pass(0);
    expect(sent).toHaveLength(1);
    const asked: number[] = [];
    for (let at = 0; at < 8; at += 1) {
      intake.take(many(2, true));
      asked.push(time.pending[0] ?? -1);
      await time.pass(time.pending[0] ?? 0);
    }
    expect(asked).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(log.events().filter((event) => event === 'ledger-write-failed')).toHaveLength(9);
    room();
    intake.take(desired(3));
    expect(ledger.generation).toBe(1);
    intake.take(many(3, true));
    expect(ledger.generation).toBe(3);
    intake.take(desired(4));
    expect(ledger.generation).toBe(4);
  });
});

describe('digests', () => {
  it('that agree are silent', async () => {
    const { intake, sent, settled, ledger } = setUp();
    intake.take(desired(1));
    intake.take(desired(2, { ledger_digest: await digestAfter(ledger, network(2, 2)) }));
    await settled();
    expect(sent).toEqual([]);
  });

  it('that differ ask for everything, once at a time', async () => {
    const { intake, sent, time, settled } = setUp();
    intake.take(desired(1, { ledger_digest: 'other' }));
    await settled();
    intake.take(desired(2, { ledger_digest: 'other' }));
    await settled();
    expect(sent).toHaveLength(1);
    intake.take(desired(3, { full: true, ledger_digest: 'still another' }));
    await settled();
    expect(time.pending[0]).toBe(1_000);
  });

  it('that differ do not hold up what comes meanwhile', async () => {
    const { intake, settled, ledger } = setUp();
    intake.take(desired(1, { full: true, ledger_digest: 'other' }));
    await settled();
    intake.take(desired(2));
    expect(ledger.generation).toBe(2);
  });
});

function digestAfter(ledger: Ledger, added: DesiredObject): Promise<string> {
  return ledgerDigest([...ledger.objects.values(), added]);
}
