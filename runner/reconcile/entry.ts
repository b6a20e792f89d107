import type { Fault } from '../../shared/protocol/messages.ts';
import { KINDS, type Kind, type SpecOf, specOf } from '../../shared/specs/kinds.ts';
import { keyOf, type LedgerObject } from '../link/ledger/ledger-object.ts';
import { NO_REFERENCES, type References, referencesOf } from './references.ts';

/** `look`: after a start, to see whether there is anything to apply. */
export type Work = 'apply' | 'remove' | 'look';
export type Phase = 'idle' | 'queued' | 'waiting' | 'running' | 'backoff';

/** Something that must run alone with an object: an operation. */
export interface Task {
  run(signal: AbortSignal): Promise<void>;
  /** Called in place of `run` when the object goes. */
  gone(): void;
}

/** One object in the hands of the reconciler. */
export interface Entry {
  readonly key: string;
  readonly kind: Kind;
  readonly id: string;
  /** What the edge wants now. */
  wish: LedgerObject;
  /** Counts the wishes, so that a result can be told from an outdated one. */
  version: number;
  /** The wish's spec, checked; null in a tombstone or where it could not be read. */
  spec: SpecOf<Kind> | null;
  specFault: Fault | null;
  wanted: References;
  /** What the machine may hold of it: from the specs that were handed to the driver. */
  held: References;
  work: Work | null;
  phase: Phase;
  attempts: number;
  /** Why its last apply failed; null after one that did not. */
  failure: Fault | null;
  /** What needs it need not wait for it: it failed for good, or has for a while. */
  hopeless: boolean;
  observeWanted: boolean;
  tasks: Task[];
  /** Calls off the driver when the wish changes. */
  abort: AbortController | null;
  /** Calls off the operation when the object is no longer wanted. */
  taskAbort: AbortController | null;
  cancelTimer: (() => void) | null;
  /** When waiting for others to give up what it claims began to be too long; null while it does not wait. */
  claimsUntilMs: number | null;
}

/** Whether this build knows the kind. */
export function isKind(kind: string): kind is Kind {
  return (KINDS as readonly string[]).includes(kind);
}

/** A new entry for an object of a known kind. */
export function newEntry(wish: LedgerObject, kind: Kind): Entry {
  const entry: Entry = {
    key: keyOf(wish),
    kind,
    id: wish.id,
    wish,
    version: 0,
    spec: null,
    specFault: null,
    wanted: NO_REFERENCES,
    held: NO_REFERENCES,
    work: null,
    phase: 'idle',
    attempts: 0,
    failure: null,
    hopeless: false,
    observeWanted: false,
    tasks: [],
    abort: null,
    taskAbort: null,
    cancelTimer: null,
    claimsUntilMs: null,
  };
  setWish(entry, wish);
  return entry;
}

/** Takes a newer wish. */
export function setWish(entry: Entry, wish: LedgerObject): void {
  entry.wish = wish;
  entry.version += 1;
  entry.attempts = 0;
  entry.failure = null;
  entry.hopeless = false;
  entry.claimsUntilMs = null;
  const parsed = readSpec(entry.kind, wish);
  entry.spec = parsed.spec;
  entry.specFault = parsed.fault;
  entry.wanted = parsed.spec === null || wish.deleted ? NO_REFERENCES : referencesOf(entry.kind, parsed.spec);
}

/** What the machine may hold of an object that an earlier process of the runner worked on. */
export function heldBefore(entry: Entry): References {
  return entry.spec === null ? NO_REFERENCES : referencesOf(entry.kind, entry.spec);
}

/** The spec of an object, or why it cannot be read. A tombstone's last spec may be missing: that is no fault. */
function readSpec(kind: Kind, wish: LedgerObject): { spec: SpecOf<Kind> | null; fault: Fault | null } {
  if (wish.spec === null && wish.deleted) return { spec: null, fault: null };
  const parsed = specOf[kind].safeParse(wish.spec);
  if (parsed.success) return { spec: parsed.data, fault: null };
  if (wish.deleted) return { spec: null, fault: null };
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  return {
    spec: null,
    fault: { code: 422, message: `This runner cannot read the ${kind}: ${where}: ${issue?.message ?? 'invalid'}` },
  };
}
