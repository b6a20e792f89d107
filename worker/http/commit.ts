import { type SQL, sql } from 'drizzle-orm';
import type { BatchItem } from 'drizzle-orm/batch';
import type { Database } from '../../db/client.ts';
import { audit } from '../../db/schema/audit.ts';
import { dueEndpoints } from '../webhooks/wake-endpoints.ts';
import type { ActorContext, Context } from './context.ts';
import { SYSTEM_USER_ID } from './system-actor.ts';

export type Statement = BatchItem<'sqlite'>;

/** What a mutation leaves in the audit; never a secret. */
export interface AuditEntry {
  action: string;
  targetType: string;
  targetId: string;
  detail?: Record<string, unknown>;
  /** Who acted, when that is not the user of the token. */
  actor?: { type: 'user' | 'runner' | 'system'; id: string };
}

/** An assertion of the batch did not hold; nothing was written. `assertion` is the name given to `assertThat`. */
export class AssertionFailed extends Error {
  readonly assertion: string;
  constructor(assertion: string) {
    super(`assertion ${assertion} did not hold`);
    this.assertion = assertion;
  }
}

/** A UNIQUE, PRIMARY KEY, FOREIGN KEY or CHECK of the schema refused the batch; nothing was written. */
export class ConstraintFailed extends Error {
  /** SQLite's own words: `ip_allocations.subnet_id, ip_allocations.host_offset`, or a check's name; empty for foreign keys. */
  readonly constraint: string;
  constructor(constraint: string, cause: unknown) {
    super(`constraint failed: ${constraint}`, { cause });
    this.constraint = constraint;
  }
}

const ASSERTION = Symbol('assertion');
interface Assertion {
  name: string;
  refusal: Error | undefined;
}

/**
 * A statement that fails its batch unless the condition holds when the batch runs.
 * @param refusal - what is thrown then; without one it is AssertionFailed, for the caller to say what it means
 */
export function assertThat(db: Database, name: string, condition: SQL, refusal?: Error): Statement {
  const statement = db.run(sql`INSERT INTO assertions (name) SELECT ${name} WHERE NOT (${condition})`);
  return Object.assign(statement, { [ASSERTION]: { name, refusal } satisfies Assertion });
}

/** A mutation: what it writes, what it leaves in the audit, and which runners' desired state it changes. */
export interface Change {
  audit: AuditEntry;
  statements: Statement[];
  /** A condition on `runners`: their generation rises before the statements run, and they are woken after the commit. */
  touches?: SQL;
}

/**
 * Writes a mutation in one atomic batch, then wakes the runners it touched and the endpoints that its events go to.
 * @returns the results of `statements`, in order
 * @throws AssertionFailed, ConstraintFailed - and then nothing was written
 */
export async function commit(ctx: Context, change: Change): Promise<unknown[]> {
  return commitAll(ctx, [auditRow(ctx, change.audit), ...change.statements], change.touches).then((results) =>
    results.slice(1),
  );
}

/** Writes statements that no user asked for (a runner's report); otherwise as `commit`. */
export async function commitAll(ctx: Context, statements: Statement[], touches?: SQL): Promise<unknown[]> {
  const bump = touches
    ? [ctx.db.all(sql`UPDATE runners SET generation = generation + 1 WHERE ${touches} RETURNING id`)]
    : [];
  const results = await runBatch(ctx.db, [...bump, ...statements, dueEndpoints(ctx)]);
  const touched = touches ? results.shift() : [];
  const due = results.pop();
  ctx.fleet.poke(idsOf(touched));
  ctx.webhooks.wake(idsOf(due));
  return results;
}

const idsOf = (rows: unknown) => (rows as { id: string }[]).map((row) => row.id);

/** Runs statements as one atomic batch and types its failures. */
export async function runBatch(db: Database, statements: Statement[]): Promise<unknown[]> {
  try {
    return (await db.batch(statements as [Statement, ...Statement[]])) as unknown[];
  } catch (error) {
    throw typed(error, statements);
  }
}

function auditRow(ctx: Context, entry: AuditEntry): Statement {
  const user = (ctx as Partial<ActorContext>).actor;
  const id = user?.userId ?? SYSTEM_USER_ID;
  const actor = entry.actor ?? { type: id === SYSTEM_USER_ID ? ('system' as const) : ('user' as const), id };
  return ctx.db.insert(audit).values({
    id: ctx.ids.uuid(),
    atMs: ctx.clock.nowMs(),
    region: ctx.region,
    requestId: ctx.requestId,
    actorType: actor.type,
    actorId: actor.id,
    projectId: user?.projectId ?? null,
    action: entry.action,
    targetType: entry.targetType,
    targetId: entry.targetId,
    detail: entry.detail ?? null,
  });
}

function typed(error: unknown, statements: Statement[]): unknown {
  const chain: { message?: string; statementIndex?: number; cause?: unknown }[] = [];
  for (let at = error; at instanceof Error && chain.length < 5; at = at.cause) chain.push(at);
  const text = chain.map((one) => one.message).join('\n');
  const found = /(UNIQUE|CHECK|NOT NULL) constraint failed: ([^\n]*)/.exec(text);
  if (found?.[2]?.startsWith('assertion')) {
    const index = chain.find((one) => typeof one.statementIndex === 'number')?.statementIndex;
    const failed = index === undefined ? undefined : (statements[index] as { [ASSERTION]?: Assertion } | undefined);
    return failed?.[ASSERTION]?.refusal ?? new AssertionFailed(failed?.[ASSERTION]?.name ?? 'unknown');
  }
  if (found) return new ConstraintFailed(found[2] ?? '', error);
  if (/FOREIGN KEY constraint failed/.test(text)) return new ConstraintFailed('', error);
  return error;
}
