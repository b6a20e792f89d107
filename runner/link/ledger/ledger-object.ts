import type { Observation } from '../../../shared/protocol/messages.ts';

/** One object as the ledger holds it. Records are replaced, never changed in place. */
export interface LedgerObject {
  readonly kind: string;
  readonly id: string;
  readonly generation: number;
  /** As the edge sent it; empty where the ledger itself concluded that the object is no longer wanted. */
  readonly digest: string;
  readonly deleted: boolean;
  /** The last spec known, also of a tombstone: a driver may need it to remove what was made. */
  readonly spec: unknown;
  /** The generation whose apply has ended, well or not; -1 before. */
  readonly appliedGeneration: number;
  /** The boot of the machine in which it ended. */
  readonly appliedBoot: string;
  readonly observation: Observation | null;
  /** True once the edge has stored the observation. */
  readonly settled: boolean;
}

/** The name of an object in maps. */
export function keyOf(object: { kind: string; id: string }): string {
  return `${object.kind}/${object.id}`;
}
