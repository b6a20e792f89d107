import type { Sample } from '../../shared/protocol/messages.ts';

/**
 * Reads some meters of one machine. What it reads may be of any resource; several collectors may read different meters of one.
 * Counters carry the epoch in which they began from zero; a resource's meters may have different ones.
 */
export interface Collector {
  /** For the log. */
  name: string;
  /** Reads once. @throws where nothing could be read; what is known of some resources is answered all the same */
  collect(): Promise<Sample[]>;
  /** What the last reading said is on the disk: what was held for its sake may go. */
  kept?(): Promise<void>;
}
