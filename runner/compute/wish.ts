import type { ServerSpec } from '../../shared/specs/server.ts';
import type { GuestRecord } from './guest-record.ts';
import type { LiveGuest } from './live-guest.ts';

/** A guest as the machine has it. */
export interface Found {
  record: GuestRecord;
  live: LiveGuest | null;
}

/** A guest as it should be. */
export interface Wish {
  spec: ServerSpec;
  generation: number;
  signal: AbortSignal;
}
