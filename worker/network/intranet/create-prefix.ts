import { sql } from 'drizzle-orm';
import { intranetPrefixes } from '../../../db/schema/intranet.ts';
import { INTRANET_PREFIXES_MAX } from '../../../shared/specs/intranet.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { NewPrefix } from './attributes.ts';
import { policy } from './policy.ts';
import type { PrefixRow } from './views.ts';
import { hostsOf, putExceptions, putFilter } from './wishes.ts';

/**
 * Closes a range to the guests of the region, on every host.
 * @throws ApiError 409 it is there already, or there are as many as there can be
 */
export async function createPrefix(ctx: ActorContext, input: NewPrefix): Promise<PrefixRow> {
  authorize(ctx, policy, 'intranet:prefixes:create');
  const now = ctx.clock.nowMs();
  const row: PrefixRow = {
    id: ctx.ids.uuid(),
    region: ctx.region,
    ipVersion: input.prefix.includes(':') ? 6 : 4,
    ...input,
    createdBy: ctx.actor.userId,
    createdAtMs: now,
    updatedAtMs: now,
  };
  const touches = hostsOf(ctx.region);
  const room = sql`(SELECT count(*) FROM intranet_prefixes WHERE region = ${ctx.region}) < ${INTRANET_PREFIXES_MAX}`;
  try {
    await commit(ctx, {
      audit: {
        action: 'intranet:prefixes:create',
        targetType: 'intranet-prefix',
        targetId: row.id,
        detail: { ...input },
      },
      touches,
      statements: [
        assertThat(ctx.db, 'room', room),
        ctx.db.insert(intranetPrefixes).values(row),
        putFilter(ctx, touches),
        // Hosts that joined before there was any prefix hold no exceptions yet.
        putExceptions(ctx, touches),
      ],
    });
  } catch (error) {
    if (error instanceof ConstraintFailed) throw conflict(`Intranet prefix ${row.prefix} is there already.`);
    if (error instanceof AssertionFailed)
      throw conflict(
        `There are ${INTRANET_PREFIXES_MAX} intranet prefixes, the most there can be: declare wider ones.`,
      );
    throw error;
  }
  return row;
}
