import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/clock.ts';
import type { DesiredObject, Observation } from '../../../shared/protocol/messages.ts';
import { StoreError } from '../../state/store.ts';
import { capturedLog } from '../../testing/captured-log.ts';
import { id, networkOf, serverOf } from '../../testing/specs.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { Ledger } from './ledger.ts';

const network = (number: number, generation: number, change: Partial<DesiredObject> = {}): DesiredObject => ({
  kind: 'network',
  id: id(number),
  generation,
  digest: `d${generation}`,
  deleted: false,
  spec: networkOf(number),
  ...change,
});
const seen = (number: number, generation: number, state: Observation['state'] = 'applied'): Observation => ({
  kind: 'network',
  id: id(number),
  generation,
  state,
});
const open = (path: string, log = capturedLog()) => Ledger.open(path, systemClock, log);

describe('the ledger', () => {
  it('has after a start what it had before the end', async () => {
    const path = join(temporaryFolder(), 'ledger.db');
    const before = open(path);
    before.accept({ generation: 3, full: true, complete: true, objects: [network(1, 2), network(2, 3)] });
    before.record([{ kind: 'network', id: id(1), observation: seen(1, 2), applied: { generation: 2, boot: 'b' } }]);
    const digest = await before.digest();
    before.close();
    const after = open(path);
    expect(after.generation).toBe(3);
    expect(await after.digest()).toBe(digest);
    expect(after.get('network', id(1))).toMatchObject({
      spec: networkOf(1),
      appliedGeneration: 2,
      appliedBoot: 'b',
      observation: { state: 'applied' },
      settled: false,
    });
    after.close();
  });

  it('moves its generation only with a series that is complete', () => {
    const ledger = open(join(temporaryFolder(), 'ledger.db'));
    ledger.accept({ generation: 7, full: false, complete: false, objects: [network(1, 6)] });
    expect(ledger.generation).toBe(0);
    ledger.accept({ generation: 7, full: false, complete: true, objects: [] });
    expect(ledger.generation).toBe(7);
    ledger.close();
  });

  it('forgets a tombstone once the edge knows of the absence, and not before', () => {
    const path = join(temporaryFolder(), 'ledger.db');
    const ledger = open(path);
    ledger.accept({ generation: 1, full: false, complete: true, objects: [network(1, 1)] });
    ledger.accept({
      generation: 2,
      full: false,
      complete: true,
      objects: [network(1, 2, { deleted: true, spec: null })],
    });
    const absent = seen(1, 2, 'absent');
    ledger.record([{ kind: 'network', id: id(1), observation: absent }]);
    expect(ledger.get('network', id(1))).toBeDefined();
    ledger.settle([{ key: `network/${id(1)}`, observation: absent }]);
    expect(ledger.get('network', id(1))).toBeUndefined();
    ledger.close();
    const again = open(path);
    expect(again.objects.size).toBe(0);
    again.close();
  });

  it('does not forget a tombstone for the acknowledged absence of an older one', () => {
    const ledger = open(join(temporaryFolder(), 'ledger.db'));
    const tombstone = (generation: number) =>
      ledger.accept({
        generation,
        full: false,
        complete: true,
        objects: [network(1, generation, { deleted: true, spec: null })],
      });
    const key = `network/${id(1)}`;
    const [older, newer] = [seen(1, 2, 'absent'), seen(1, 5, 'absent')];
    tombstone(2);
    ledger.record([{ kind: 'network', id: id(1), observation: older }]);
    tombstone(5);
    ledger.settle([{ key, observation: older }]);
    expect(ledger.record([{ kind: 'network', id: id(1), observation: newer }])).toEqual([key]);
    ledger.settle([{ key, observation: newer }]);
    expect(ledger.get('network', id(1))).toBeUndefined();
    ledger.close();
  });

  it('takes an acknowledgement only for the observation that was acknowledged', () => {
    const ledger = open(join(temporaryFolder(), 'ledger.db'));
    ledger.accept({ generation: 1, full: false, complete: true, objects: [network(1, 1)] });
    const first = seen(1, 1, 'failed');
    expect(ledger.record([{ kind: 'network', id: id(1), observation: first }])).toHaveLength(1);
    ledger.record([{ kind: 'network', id: id(1), observation: seen(1, 1) }]);
    ledger.settle([{ key: `network/${id(1)}`, observation: first }]);
    expect(ledger.get('network', id(1))?.settled).toBe(false);
    ledger.close();
  });

  it('has no news of an observation that says the same again', () => {
    const ledger = open(join(temporaryFolder(), 'ledger.db'));
    ledger.accept({ generation: 1, full: false, complete: true, objects: [network(1, 1)] });
    const finding = () => ({ kind: 'network', id: id(1), observation: seen(1, 1) });
    expect(ledger.record([finding()])).toHaveLength(1);
    expect(ledger.record([finding()])).toHaveLength(0);
    ledger.close();
  });

  it('remembers the highest epoch of a server, also after it is gone', () => {
    const path = join(temporaryFolder(), 'ledger.db');
    const ledger = open(path);
    const server = (epoch: number, generation: number): DesiredObject => ({
      ...network(9, generation),
      kind: 'server',
      spec: serverOf(9, { epoch }),
    });
    ledger.accept({ generation: 1, full: false, complete: true, objects: [server(4, 1)] });
    ledger.accept({ generation: 2, full: false, complete: true, objects: [server(2, 2)] });
    ledger.accept({ generation: 3, full: true, complete: true, objects: [] });
    expect(ledger.epochSeen(id(9))).toBe(4);
    ledger.close();
    const again = open(path);
    expect(again.epochSeen(id(9))).toBe(4);
    again.close();
  });

  it('moves a damaged file aside and begins anew', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'ledger.db');
    writeFileSync(path, 'no database '.repeat(2000));
    const log = capturedLog();
    const ledger = open(path, log);
    expect(ledger.generation).toBe(0);
    ledger.accept({ generation: 1, full: false, complete: true, objects: [network(1, 1)] });
    expect(log.events()).toEqual(['ledger-corrupt']);
    expect(readdirSync(folder).some((name) => name.startsWith('ledger.db.corrupt-'))).toBe(true);
    ledger.close();
  });

  it('does not touch the file of a later build', () => {
    const path = join(temporaryFolder(), 'ledger.db');
    const ledger = open(path);
    ledger.store.write('durable', () => {});
    ledger.store.prepare('PRAGMA user_version=99').all([]);
    ledger.close();
    expect(() => open(path)).toThrow(/has format 99/);
  });

  it('takes a series whole or not at all when the disk is full, and goes on once there is room', () => {
    const path = join(temporaryFolder(), 'ledger.db');
    const log = capturedLog();
    const ledger = open(path, log);
    ledger.accept({ generation: 1, full: false, complete: true, objects: [network(1, 1)] });
    const pages = Number(ledger.store.prepare('PRAGMA page_count').all([])[0]?.page_count);
    ledger.store.prepare(`PRAGMA max_page_count=${pages + 2}`).all([]);
    const objects = Array.from({ length: 200 }, (_, index) => network(index + 2, 2));
    const burst = { generation: 2, full: false, complete: true, objects };
    let problem: unknown;
    try {
      ledger.accept(burst);
    } catch (error) {
      problem = error;
    }
    expect(problem).toBeInstanceOf(StoreError);
    expect(problem).toMatchObject({ problem: 'full' });
    expect(ledger.objects.size).toBe(1);
    expect(ledger.generation).toBe(1);
    ledger.store.prepare('PRAGMA max_page_count=100000').all([]);
    ledger.accept(burst);
    expect(ledger.objects.size).toBe(201);
    ledger.close();
    const again = open(path);
    expect(again.objects.size).toBe(201);
    again.close();
  });

  it('takes observations that the disk had no room for along with the next ones', () => {
    const path = join(temporaryFolder(), 'ledger.db');
    const log = capturedLog();
    const ledger = open(path, log);
    const objects = Array.from({ length: 50 }, (_, index) => network(index, 1));
    ledger.accept({ generation: 1, full: false, complete: true, objects });
    const pages = Number(ledger.store.prepare('PRAGMA page_count').all([])[0]?.page_count);
    ledger.store.prepare(`PRAGMA max_page_count=${pages}`).all([]);
    const large = 'x'.repeat(3000);
    const findings = objects.slice(1).map((one, index) => ({
      kind: one.kind,
      id: one.id,
      observation: { ...seen(index + 1, 1, 'failed' as const), fault: { code: 500, message: large } },
    }));
    expect(ledger.record(findings)).toHaveLength(49);
    expect(log.events()).toContain('ledger-write-failed');
    ledger.store.prepare('PRAGMA max_page_count=100000').all([]);
    ledger.record([{ kind: 'network', id: id(0), observation: seen(0, 1) }]);
    ledger.close();
    const again = open(path);
    expect(again.get('network', id(49))?.observation?.state).toBe('failed');
    again.close();
  });
});
