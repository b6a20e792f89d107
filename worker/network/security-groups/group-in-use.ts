import { sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';

const UNUSED = 'group-unused';

/** Fails the batch where a port has a group. */
export const assertUnused = (ctx: Context, id: string): Statement =>
  assertThat(ctx.db, UNUSED, sql`NOT EXISTS (SELECT 1 FROM port_security_groups WHERE group_id = ${id})`);

/** What that means to the client; other errors as they are. */
export const usedGroup = (error: unknown, id: string): unknown =>
  error instanceof AssertionFailed && error.assertion === UNUSED
    ? conflict(`Security Group ${id} in use.`, 'SecurityGroupInUse')
    : error;
