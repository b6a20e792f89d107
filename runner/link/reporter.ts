import { OBJECTS_PER_MESSAGE_MAX } from '../../shared/limits.ts';
import type { Observation, RunnerMessage } from '../../shared/protocol/messages.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { LedgerObject } from './ledger/ledger-object.ts';

/** Text of one report at most; far below a message's limit, because proxies and polls have theirs. */
const REPORT_LENGTH_MAX = 256 * 1024;

interface Sent {
  seq: number;
  observed: { key: string; observation: Observation }[];
}

/** Tells the edge what was observed until it has stored it: a report counts when its frame is acknowledged. */
export class Reporter {
  readonly #ledger: Ledger;
  readonly #send: (message: RunnerMessage) => number | null;
  readonly #onStored: (observation: Observation) => void;
  #open = false;
  /** Sent in this session and not acknowledged, in order. */
  #sent: Sent[] = [];
  /** A report of everything is due: after a start, and after a full series. */
  #wholeDue = true;
  /** The frame that ended the newest report of everything; null where none is under way. */
  #wholeSeq: number | null = null;

  constructor(o: {
    ledger: Ledger;
    send: (message: RunnerMessage) => number | null;
    onStored: (observation: Observation) => void;
  }) {
    this.#ledger = o.ledger;
    this.#send = o.send;
    this.#onStored = o.onStored;
  }

  /** A session is open: everything that the edge may not have goes out again. */
  ready(): void {
    this.#open = true;
    const unsettled = [...this.#ledger.objects].filter(([, object]) => !object.settled).map(([key]) => key);
    this.news(unsettled);
  }

  down(): void {
    this.#open = false;
    this.#sent = [];
    this.#wholeSeq = null;
  }

  /** New observations are in the ledger. */
  news(keys: readonly string[]): void {
    if (!this.#open) return;
    const observed = keys.flatMap((key) => current(key, this.#ledger.objects.get(key)));
    if (observed.length > 0) this.#report(observed, false);
  }

  /** Everything is to be reported when the machine next stands still. */
  wantWhole(): void {
    this.#wholeDue = true;
    this.#wholeSeq = null;
  }

  /** The machine stands still: reports everything, if that is due. */
  idle(): void {
    if (!this.#open || !this.#wholeDue || this.#wholeSeq !== null) return;
    this.#report(
      [...this.#ledger.objects].flatMap(([key, object]) => current(key, object)),
      true,
    );
  }

  /** The edge has stored everything up to this frame. */
  acked(seq: number): void {
    const observed: Sent['observed'] = [];
    while (this.#sent[0] && this.#sent[0].seq <= seq) {
      const sent = this.#sent.shift();
      observed.push(...(sent?.observed ?? []));
    }
    if (this.#wholeSeq !== null && seq >= this.#wholeSeq) {
      this.#wholeDue = false;
      this.#wholeSeq = null;
    }
    if (observed.length > 0) this.#ledger.settle(observed);
    for (const { observation } of observed) this.#onStored(observation);
  }

  #report(observed: Sent['observed'], whole: boolean): void {
    const parts = inParts(observed);
    parts.forEach((part, index) => {
      const complete = whole && index === parts.length - 1;
      const seq = this.#send({ type: 'observed', complete, observations: part.map((one) => one.observation) });
      if (seq !== null) this.#sent.push({ seq, observed: part });
      if (complete) this.#wholeSeq = seq;
    });
  }
}

/** What is to be said of an object now; nothing while its newest wish is still under way. */
function current(key: string, object: LedgerObject | undefined): Sent['observed'] {
  const observation = object?.observation;
  return observation && observation.generation === object.generation ? [{ key, observation }] : [];
}

function inParts(observed: Sent['observed']): Sent['observed'][] {
  const parts: Sent['observed'][] = [[]];
  let length = 0;
  for (const one of observed) {
    const size = JSON.stringify(one.observation).length;
    const last = parts.at(-1) ?? [];
    if (last.length > 0 && (last.length >= OBJECTS_PER_MESSAGE_MAX || length + size > REPORT_LENGTH_MAX)) {
      parts.push([one]);
      length = size;
    } else {
      last.push(one);
      length += size;
    }
  }
  return parts;
}
