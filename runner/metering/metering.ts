import type { Timers } from '../../shared/clock.ts';
import type { MessageOf, RunnerMessage, Sample } from '../../shared/protocol/messages.ts';
import { errorText, type Log } from '../log.ts';
import { CollectAll } from './collect-all.ts';
import type { Collector } from './collector.ts';
import { EdgeTime } from './edge-time.ts';
import { mergeSamples } from './merge-samples.ts';
import { Sampler } from './sampler.ts';
import { Sender } from './sender.ts';
import type { Spool } from './spool/spool.ts';

export interface MeteringParts {
  collectors: readonly Collector[];
  spool: Spool;
  time: Timers;
  /** Time from any beginning that never goes back. */
  monotonicMs: () => number;
  log: Log;
  bootId: string;
  send(message: RunnerMessage): number | null;
}

/** Measures a machine: reads its meters in the edge's rhythm, keeps what was read, and tells the edge until it keeps that. */
export class Metering {
  readonly #p: MeteringParts;
  readonly #edgeTime: EdgeTime;
  readonly #collectors: CollectAll;
  readonly #sampler: Sampler;
  readonly #sender: Sender;
  /** Read and not written, because the disk is full: the next write takes it along. */
  #unwritten: Sample[] = [];
  #isFailing = false;

  constructor(parts: MeteringParts) {
    const { spool, time, log, send, collectors, monotonicMs } = parts;
    this.#p = parts;
    this.#edgeTime = new EdgeTime(time, monotonicMs, spool.edgeAheadMs);
    this.#collectors = new CollectAll({ collectors, time, log });
    this.#sampler = new Sampler({
      edgeTime: this.#edgeTime,
      time,
      log,
      collect: () => this.#collectors.collect(),
      take: (atMs, samples) => this.#take(atMs, samples),
    });
    this.#sender = new Sender({ spool, time, log, send });
  }

  start(): void {
    this.#sampler.start();
  }

  /** Resolves when nothing is read or written any more. */
  async stop(): Promise<void> {
    this.#sender.down();
    await this.#sampler.stop();
    this.#p.spool.close();
  }

  ready(): void {
    this.#sender.ready();
  }
  down(): void {
    this.#sender.down();
  }
  acked(message: MessageOf<'metered-ack'>): void {
    this.#sender.acked(message);
  }

  /** Hears the edge's time. What was read before its first word was at a guess, and is put right: none of it was sent. */
  edgeTime(serverTimeMs: number): void {
    const wasGuess = !this.#edgeTime.isTold;
    const movedMs = this.#edgeTime.told(serverTimeMs);
    if (movedMs !== 0) {
      if (wasGuess) this.#orLog(() => this.#p.spool.moveTimes(movedMs));
      this.#sampler.moved(wasGuess ? movedMs : 0);
    }
    if (movedMs !== 0 || wasGuess) {
      this.#orLog(() => {
        this.#p.spool.edgeAheadMs = this.#edgeTime.nowMs() - this.#p.time.nowMs();
      });
    }
  }

  async #take(atMs: number, samples: Sample[]): Promise<void> {
    const all = mergeSamples(this.#unwritten, samples);
    try {
      this.#p.spool.append(atMs, this.#p.bootId, all);
    } catch (error) {
      this.#unwritten = all;
      if (!this.#isFailing) {
        const next = 'what was read is kept in memory and written with a later sample';
        this.#p.log.error('samples-not-written', { error: errorText(error), next });
      }
      this.#isFailing = true;
      return;
    }
    this.#unwritten = [];
    this.#isFailing = false;
    this.#sender.pump();
    await this.#collectors.kept();
  }

  #orLog(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#p.log.error('spool-write-failed', { error: errorText(error) });
    }
  }
}
