import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../env.ts';
import type { QueryAnswer } from './fleet.ts';

export class RunnerLink extends DurableObject<Env> {
  async poke(_runnerId: string): Promise<void> {}
  async query(
    _runnerId: string,
    _query: { kind: string; targetId: string; args: Record<string, unknown> },
    _timeoutMs: number,
  ): Promise<QueryAnswer> {
    return { ok: false, fault: { code: 503, message: 'not connected' } };
  }
}
