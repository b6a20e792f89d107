import { sql } from 'drizzle-orm';
import { assertThat } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { commitTransition } from '../servers/transition.ts';

/** Refuses a new password, as Nova does where no guest has an agent that would set it. @throws ApiError 404, 409 */
export async function changePassword(ctx: ActorContext, id: string): Promise<void> {
  await commitTransition(ctx, {
    id,
    verb: 'changePassword',
    policyAction: 'os_compute_api:os-admin-password',
    allowed: { vmStates: ['active'], launched: true },
    statements: [assertThat(ctx.db, 'agent', sql`0`)],
    refusals: { agent: () => conflict('Set admin password is not supported') },
  });
}
