/** What a runner is told when it starts; the rest is in its state folder. */
export interface RunnerOptions {
  /** Holds key, identity, ledger, images, guests; mode 0700. */
  stateDir: string;
  /** The edge, e.g. `https://cloud.example.com`. */
  edgeUrl: string;
  /** Prefix of everything made on the machine (bridges, taps, cgroups, nft table), so that several runners can share one. */
  mark: string;
}
