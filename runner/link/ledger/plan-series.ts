import type { DesiredObject } from '../../../shared/protocol/messages.ts';
import { keyOf, type LedgerObject } from './ledger-object.ts';

/** A message of desired state, or all messages of a full series put together. */
export interface Series {
  generation: number;
  full: boolean;
  complete: boolean;
  objects: readonly DesiredObject[];
}

export interface Refusal {
  object: DesiredObject;
  /** `older`: a lower generation than held. `conflict`: the generation held, but other content. */
  reason: 'older' | 'conflict';
}

export interface SeriesPlan {
  /** False where the whole series is older than the ledger, so that nothing of it counts. */
  accepted: boolean;
  puts: LedgerObject[];
  refusals: Refusal[];
  /** The ledger's generation afterwards. */
  generation: number;
}

/** What the plan needs to know of the ledger. */
export interface LedgerView {
  generation: number;
  objects: ReadonlyMap<string, LedgerObject>;
}

/**
 * What a series does to a ledger, by three rules: a lower generation is refused, the same generation with another digest
 * is an error, the same again changes nothing. A full series must be complete; what it does not name becomes a tombstone.
 */
export function planSeries(ledger: LedgerView, series: Series): SeriesPlan {
  if (series.generation < ledger.generation)
    return { accepted: false, puts: [], refusals: [], generation: ledger.generation };
  const puts = new Map<string, LedgerObject>();
  const refusals: Refusal[] = [];
  for (const object of series.objects) {
    const key = keyOf(object);
    const known = puts.get(key) ?? ledger.objects.get(key);
    const verdict = judge(known, object);
    if (verdict === 'put') puts.set(key, successor(known, object));
    else if (verdict !== 'same') refusals.push({ object, reason: verdict });
  }
  if (series.full) {
    const named = new Set(series.objects.map(keyOf));
    for (const [key, object] of ledger.objects) {
      if (!object.deleted && !named.has(key)) puts.set(key, concluded(object));
    }
  }
  const generation = series.complete ? series.generation : ledger.generation;
  return { accepted: true, puts: [...puts.values()], refusals, generation };
}

function judge(known: LedgerObject | undefined, object: DesiredObject): 'put' | 'same' | 'older' | 'conflict' {
  if (!known || object.generation > known.generation) return 'put';
  if (object.generation < known.generation) return 'older';
  // A tombstone of the ledger's own making has no word of the edge behind it: the edge may want the object after all.
  if (known.digest === '') return 'put';
  return known.digest === object.digest && known.deleted === object.deleted ? 'same' : 'conflict';
}

function successor(known: LedgerObject | undefined, object: DesiredObject): LedgerObject {
  return {
    kind: object.kind,
    id: object.id,
    generation: object.generation,
    digest: object.digest,
    deleted: object.deleted,
    spec: object.deleted ? (known?.spec ?? null) : object.spec,
    appliedGeneration: known?.appliedGeneration ?? -1,
    appliedBoot: known?.appliedBoot ?? '',
    observation: known?.observation ?? null,
    settled: false,
  };
}

function concluded(object: LedgerObject): LedgerObject {
  return { ...object, deleted: true, digest: '', observation: null, settled: false };
}
