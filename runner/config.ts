import type { Timers } from '../shared/clock.ts';
import type { Log } from './log.ts';

/** What a runner is told when it starts; the rest is in its state folder. */
export interface RunnerOptions {
  /** Holds key, identity, ledger, images, guests; mode 0700. */
  stateDir: string;
  /** The edge, e.g. `https://cloud.example.com`. */
  edgeUrl: string;
  /** Prefix of everything made on the machine (bridges, taps, cgroups, nft table), so that several runners can share one. */
  mark: string;
  /** The id that the edge gave this runner. */
  runnerId: string;
  /** The bearer for the runner's own HTTP calls (images), as the edge last gave it; null before the first welcome. */
  bearer(): string | null;
  time: Timers;
  log: Log;
}

/** This build, as it tells the edge. A test holds it equal to package.json. */
export const RUNNER_VERSION = '0.1.0';
