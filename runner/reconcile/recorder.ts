import type { Timers } from '../../shared/clock.ts';
import type { Finding, Ledger } from '../link/ledger/ledger.ts';

/** Writes findings down, those of one turn in one transaction, and then tells of the new ones. */
export class Recorder {
  readonly #ledger: Ledger;
  readonly #time: Timers;
  readonly #onNews: (keys: string[]) => void;
  #findings: Finding[] = [];

  constructor(ledger: Ledger, time: Timers, onNews: (keys: string[]) => void) {
    this.#ledger = ledger;
    this.#time = time;
    this.#onNews = onNews;
  }

  add(finding: Finding): void {
    this.#findings.push(finding);
    if (this.#findings.length === 1) this.#time.after(0, () => this.flush());
  }

  flush(): void {
    const findings = this.#findings;
    this.#findings = [];
    if (findings.length === 0) return;
    const news = this.#ledger.record(findings);
    if (news.length > 0) this.#onNews(news);
  }
}
