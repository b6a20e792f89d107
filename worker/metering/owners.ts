import { sql } from 'drizzle-orm';
import type { Sample } from '../../shared/protocol/messages.ts';
import type { Context } from '../http/context.ts';
import { type Book, type Owner, ownerKey } from './book.ts';
import { OWNER_CHECK_MS, STRANGER_CHECK_MS } from './limits.ts';

/** Resources that one question to the database is about. */
const ASKED_MAX = 2_000;
/** Strangers that are remembered as such. */
const STRANGERS_MAX = 20_000;

type Found = { type: string; id: string; projectId: string; createdAtMs: number; leftAtMs: number | null };

type OwnerRow = {
  type: string;
  resource: string;
  project_id: string;
  created_at_ms: number;
  checked_at_ms: number;
  left_at_ms: number | null;
};

/** All owners that the book knows, as memory has them. */
export function ownersOf(book: Book): Map<string, Owner> {
  if (book.owners) return book.owners;
  const rows = book.storage.sql.exec<OwnerRow>('SELECT * FROM meter_owners').toArray();
  book.owners = new Map(
    rows.map((row) => [
      ownerKey(row.type, row.resource),
      {
        ...{ type: row.type, resource: row.resource, projectId: row.project_id, createdAtMs: row.created_at_ms },
        ...{ checkedAtMs: row.checked_at_ms, leftAtMs: row.left_at_ms },
      },
    ]),
  );
  return book.owners;
}

/**
 * Asks the database whose the resources of samples are, where that is not known or was asked long ago. What it finds
 * goes into the book with the samples (`keepOwners`).
 */
export async function findOwners(
  ctx: Context,
  book: Book,
  runnerId: string,
  samples: Iterable<Sample>,
): Promise<Owner[]> {
  const now = ctx.clock.nowMs();
  const owners = ownersOf(book);
  const asked = new Map<string, { type: string; id: string }>();
  for (const { type, id } of samples) {
    const key = ownerKey(type, id);
    const known = owners.get(key);
    const checkedAtMs = known?.checkedAtMs ?? book.strangers.get(key);
    const again = known ? OWNER_CHECK_MS : STRANGER_CHECK_MS;
    if (checkedAtMs === undefined || Math.abs(now - checkedAtMs) >= again) asked.set(key, { type, id });
  }
  if (asked.size === 0) return [];
  const found = await ask(ctx, runnerId, [...asked.values()]);
  const ours = new Map(found.map((row) => [ownerKey(row.type, row.id), row]));
  const changed: Owner[] = [];
  if (book.strangers.size > STRANGERS_MAX) book.strangers.clear();
  for (const [key, { type, id }] of asked) {
    const row = ours.get(key);
    const known = owners.get(key);
    if (row) {
      const { projectId, createdAtMs, leftAtMs } = row;
      changed.push({ type, resource: id, projectId, createdAtMs, checkedAtMs: now, leftAtMs });
    } else if (known) changed.push({ ...known, checkedAtMs: now, leftAtMs: known.leftAtMs ?? now });
    else book.strangers.set(key, now);
  }
  return changed;
}

/** Writes down owners that were found. */
export function keepOwners(book: Book, changed: Owner[]): void {
  for (const owner of changed) {
    const { type, resource, projectId, createdAtMs, checkedAtMs, leftAtMs } = owner;
    book.storage.sql.exec(
      `INSERT OR REPLACE INTO meter_owners (type, resource, project_id, created_at_ms, checked_at_ms, left_at_ms) VALUES (?, ?, ?, ?, ?, ?)`,
      ...[type, resource, projectId, createdAtMs, checkedAtMs, leftAtMs],
    );
    ownersOf(book).set(ownerKey(type, resource), owner);
    book.strangers.delete(ownerKey(type, resource));
  }
}

async function ask(ctx: Context, runnerId: string, resources: { type: string; id: string }[]): Promise<Found[]> {
  const found: Found[] = [];
  for (let at = 0; at < resources.length; at += ASKED_MAX) {
    const some = resources.slice(at, at + ASKED_MAX);
    found.push(...(await ctx.db.all<Found>(ownedSql(ctx.region, runnerId, some))));
  }
  return found;
}

/** Those of the resources that are this machine's; a server that was deleted was its, where it was asked to do something with it. */
function ownedSql(region: string, runnerId: string, resources: { type: string; id: string }[]) {
  const ids = (type: string) =>
    sql`(SELECT value FROM json_each(${JSON.stringify(resources.filter((one) => one.type === type).map((one) => one.id))}))`;
  return sql`
    SELECT 'server' AS type, s.id, s.project_id AS projectId, s.created_at_ms AS createdAtMs, s.deleted_at_ms AS leftAtMs FROM servers s
    WHERE s.id IN ${ids('server')} AND s.region = ${region} AND (s.runner_id = ${runnerId}
      OR (s.deleted_at_ms IS NOT NULL AND EXISTS (SELECT 1 FROM server_action_events e WHERE e.server_id = s.id AND e.runner_id = ${runnerId})))
    UNION ALL
    SELECT 'port', p.id, p.project_id, p.created_at_ms, NULL FROM ports p
    WHERE p.id IN ${ids('port')} AND p.region = ${region} AND p.runner_id = ${runnerId}
    UNION ALL
    SELECT 'floating_ip', f.id, f.project_id, f.created_at_ms, NULL FROM floating_ips f
    WHERE f.id IN ${ids('floating_ip')} AND f.region = ${region}
      AND (f.holder_id = ${runnerId} OR EXISTS (SELECT 1 FROM ports p WHERE p.id = f.port_id AND p.runner_id = ${runnerId}))
    UNION ALL
    SELECT 'runner', r.id, '', 0, NULL FROM runners r WHERE r.id IN ${ids('runner')} AND r.id = ${runnerId}`;
}
