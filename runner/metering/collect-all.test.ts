import { describe, expect, it } from 'vitest';
import type { Sample } from '../../shared/protocol/messages.ts';
import { capturedLog } from '../testing/captured-log.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { COLLECT_TIMEOUT_MS, CollectAll } from './collect-all.ts';
import type { Collector } from './collector.ts';
import { LastReadings } from './last-readings.ts';
import { ofEach } from './of-each.ts';

const sample = (id: string, value = 1): Sample => ({ type: 'server', id, epoch: 'e', values: { 'cpu.time': value } });
const good: Collector = { name: 'good', collect: async () => [sample('good')] };

function setUp(...collectors: Collector[]) {
  const time = new VirtualTime();
  const log = capturedLog();
  return { all: new CollectAll({ collectors, time, log }), time, log };
}

describe('collectors', () => {
  it('cost their own meters alone when they fail, and say so once', async () => {
    let works = false;
    const bad: Collector = {
      name: 'bad',
      collect: () => {
        if (!works) throw new Error('broken');
        return Promise.resolve([sample('bad')]);
      },
    };
    const { all, log } = setUp(bad, good);
    for (let round = 0; round < 3; round++) expect(await all.collect()).toEqual([sample('good')]);
    expect(log.lines).toMatchObject([{ level: 'error', event: 'collector-failed', collector: 'bad', error: 'broken' }]);
    works = true;
    expect(await all.collect()).toEqual([sample('bad'), sample('good')]);
    expect(log.events()).toEqual(['collector-failed', 'collector-works-again']);
  });

  it('that hang are waited for so long and no longer, and not called again before they end', async () => {
    let calls = 0;
    let end = (_: Sample[]) => {};
    const slow: Collector = {
      name: 'slow',
      collect: () => {
        calls++;
        return new Promise((resolve) => {
          end = resolve;
        });
      },
    };
    const { all, time, log } = setUp(slow, good);
    for (let round = 0; round < 3; round++) {
      const collected = all.collect();
      await time.pass(COLLECT_TIMEOUT_MS);
      expect(await collected).toEqual([sample('good')]);
    }
    expect(calls).toBe(1);
    expect(log.events()).toEqual(['collector-failed']);
    end([]);
    await time.settle();
    void all.collect();
    expect(calls).toBe(2);
  });

  it('hear that what they read is kept, those that were read alone', async () => {
    const kept: string[] = [];
    let fails = false;
    const one = (name: string): Collector => ({
      name,
      collect: async () => {
        if (fails && name === 'b') throw new Error('x');
        return [];
      },
      kept: async () => void kept.push(name),
    });
    const { all } = setUp(one('a'), one('b'));
    await all.collect();
    await all.kept();
    fails = true;
    await all.collect();
    await all.kept();
    expect(kept).toEqual(['a', 'b', 'a']);
  });
});

describe('last readings', () => {
  it('are told again until they are kept, and then no more', async () => {
    const last = new LastReadings();
    last.hold([sample('a')]);
    expect(await last.collect()).toEqual([sample('a')]);
    last.hold([sample('b')]);
    expect(await last.collect()).toEqual([sample('a'), sample('b')]);
    last.hold([sample('c')]);
    await last.kept();
    expect(await last.collect()).toEqual([sample('c')]);
  });
});

it('of many resources one that cannot be read costs its own sample', async () => {
  const log = capturedLog();
  const read = ofEach('many', log, async (id: string) => {
    if (id === 'gone') return null;
    if (id === 'bad') throw new Error('hangs');
    return sample(id);
  });
  const items = new Map(['a', 'bad', 'gone', 'b'].map((id) => [id, id]));
  for (let round = 0; round < 2; round++) expect(await read(items)).toEqual([sample('a'), sample('b')]);
  expect(log.lines).toMatchObject([{ event: 'meters-not-read', id: 'bad', error: 'hangs' }]);
});
