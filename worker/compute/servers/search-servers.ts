import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import { badRequest } from '../../http/errors.ts';
import type { Residue } from './pattern.ts';

/** Servers that are looked at in one read, and reads that one list may take. */
const CHUNK = 1000;
const CHUNKS_MAX = 10;

/**
 * The ids of servers whose texts match regular expressions that no SQL can say, in the order asked for. It reads piece by
 * piece: the one list that takes more than a round trip, and only for such an expression.
 * @throws ApiError 400 where too many servers would have to be looked at
 */
export async function searchServers(
  db: Database,
  residues: readonly Residue[],
  of: { where: (after: string | undefined) => SQL; order: SQL; limit: number; marker: string | undefined },
): Promise<string[]> {
  const texts = sql.join(
    residues.map(({ texts }) => sql`json(${texts})`),
    sql`, `,
  );
  const ids: string[] = [];
  let after = of.marker;
  for (let chunk = 0; chunk < CHUNKS_MAX; chunk++) {
    const rows = await db.all<{ id: string; texts: string }>(
      sql`SELECT s.id, json_array(${texts}) AS texts FROM servers s WHERE ${of.where(after)} ORDER BY ${of.order} LIMIT ${CHUNK}`,
    );
    for (const row of rows) {
      if (matchesAll(residues, JSON.parse(row.texts) as string[][])) ids.push(row.id);
      if (ids.length === of.limit) return ids;
    }
    if (rows.length < CHUNK) return ids;
    after = rows.at(-1)?.id;
  }
  throw badRequest(
    `More than ${CHUNK * CHUNKS_MAX} servers would have to be searched with a regular expression: narrow the list by another filter.`,
  );
}

const matchesAll = (residues: readonly Residue[], texts: readonly string[][]): boolean =>
  residues.every(({ regex }, index) => (texts[index] ?? []).some((text) => regex.test(text)));
