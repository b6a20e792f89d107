import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Observation } from '../../shared/protocol/messages.ts';
import { Ledger } from '../link/ledger/ledger.ts';
import { Reconciler } from '../reconcile/reconciler.ts';
import { capturedLog } from './captured-log.ts';
import { FakeDrivers } from './fake-drivers.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { VirtualTime } from './virtual-time.ts';

export type Wish = [kind: string, id: string, spec: unknown];

/** A reconciler on a ledger of its own, or on the file of an earlier one. */
export function setUpReconciler(options: { path?: string; bootId?: string } = {}) {
  const path = options.path ?? join(temporaryFolder(), 'ledger.db');
  const time = new VirtualTime();
  const log = capturedLog();
  const ledger = Ledger.open(path, time, log);
  const fake = new FakeDrivers();
  const news: string[] = [];
  let idles = 0;
  const reconciler = new Reconciler({
    ledger,
    drivers: fake.drivers,
    time,
    random: () => 1,
    log,
    bootId: options.bootId ?? 'boot-1',
    onNews: (keys) => news.push(...keys),
    onIdle: () => {
      idles += 1;
    },
  });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    for (const call of [...fake.held.keys()]) fake.release(call);
    await reconciler.stop();
    ledger.close();
  };
  onTestFinished(close);
  const want = async (...wishes: Wish[]) => {
    const generation = ledger.generation + 1;
    const objects = wishes.map(([kind, name, spec]) => ({
      kind,
      id: name,
      generation,
      digest: JSON.stringify(spec),
      deleted: spec === null,
      spec,
    }));
    reconciler.changed(ledger.accept({ generation, full: false, complete: true, objects }).puts);
    await time.pass(0);
  };
  const observed = (kind: string, name: string): Observation | null | undefined => ledger.get(kind, name)?.observation;
  const start = async () => {
    reconciler.start();
    await time.pass(0);
  };
  return { path, time, log, ledger, fake, reconciler, news, want, observed, start, close, idles: () => idles };
}
