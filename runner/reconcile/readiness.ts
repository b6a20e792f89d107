import type { Fault } from '../../shared/protocol/messages.ts';
import type { Entry } from './entry.ts';
import type { Holdings } from './holdings.ts';

export type Readiness =
  | { go: true }
  /** `on`: the key whose next change is worth another look. `claim`: it waits only for somebody to give something up. */
  | { go: false; on: string; claim?: boolean; fault?: Fault };

const GO: Readiness = { go: true };

/** Whether an entry's work may begin: what it needs is there, and nobody is still using what it takes or takes away. */
export function readiness(
  entry: Entry,
  entries: ReadonlyMap<string, Entry>,
  holdings: Holdings,
  ignoreClaims: boolean,
): Readiness {
  if (entry.work === 'remove') return removable(entry, holdings);
  if (entry.work !== 'apply') return GO;
  const needs = needsMet(entry, entries);
  if (!needs.go) return needs;
  return ignoreClaims ? GO : claimsFree(entry, holdings);
}

function needsMet(entry: Entry, entries: ReadonlyMap<string, Entry>): Readiness {
  for (const key of entry.wanted.needs) {
    const needed = entries.get(key);
    if (!needed || needed.wish.deleted) return { go: false, on: key, fault: missing(entry, key) };
    if (needed.work === null && needed.failure === null) continue;
    return { go: false, on: key, ...(needed.hopeless ? { fault: broken(entry, needed) } : {}) };
  }
  for (const key of entry.wanted.follows) {
    const first = entries.get(key);
    if (first && !first.wish.deleted && first.work !== null && first.attempts === 0) return { go: false, on: key };
  }
  return GO;
}

/** An object may go when nothing that has it in use is about to let go of it. */
function removable(entry: Entry, holdings: Holdings): Readiness {
  for (const user of holdings.usersOf(entry.key)) {
    if (user !== entry && lettingGo(user, user.wanted.needs, entry.key)) return { go: false, on: user.key };
  }
  return GO;
}

function claimsFree(entry: Entry, holdings: Holdings): Readiness {
  for (const claim of entry.wanted.claims) {
    for (const other of holdings.usersOf(claim)) {
      if (other !== entry && lettingGo(other, other.wanted.claims, claim))
        return { go: false, on: other.key, claim: true };
    }
  }
  return GO;
}

function lettingGo(user: Entry, stillWanted: readonly string[], name: string): boolean {
  return user.work !== null && (user.wish.deleted || !stillWanted.includes(name));
}

function missing(entry: Entry, key: string): Fault {
  const [kind, id] = key.split('/');
  return { code: 424, message: `The ${entry.kind} needs ${kind} ${id}, which is not wanted on this machine.` };
}

function broken(entry: Entry, needed: Entry): Fault {
  const why = needed.failure?.message ?? 'unknown';
  return {
    code: 424,
    message: `The ${entry.kind} needs ${needed.kind} ${needed.id}, which failed: ${why}`.slice(0, 1024),
  };
}
