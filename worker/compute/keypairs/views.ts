import type { keypairs } from '../../../db/schema/compute.ts';
import type { Rendering } from '../http/env.ts';
import { novaTime } from '../servers/views.ts';

export type KeypairRow = typeof keypairs.$inferSelect;

/** A key pair in a list. */
export function listedKeypairView(row: KeypairRow, { version }: Rendering) {
  return {
    name: row.name,
    public_key: row.publicKey,
    fingerprint: row.fingerprint,
    ...(version >= 2 ? { type: row.type } : {}),
  };
}

/** The answer to a create; the private key is there this once. */
export function createdKeypairView(row: KeypairRow, privateKey: string | null, rendering: Rendering) {
  return {
    ...listedKeypairView(row, rendering),
    user_id: row.userId,
    ...(privateKey === null ? {} : { private_key: privateKey }),
  };
}

/** A key pair in full. Nova numbers them; here the fingerprint makes a number that stays the same. */
export function keypairView(row: KeypairRow, rendering: Rendering) {
  return {
    ...listedKeypairView(row, rendering),
    user_id: row.userId,
    created_at: novaTime(row.createdAtMs),
    deleted: false,
    deleted_at: null,
    id: Number.parseInt(row.fingerprint.replaceAll(':', '').slice(0, 7), 16) || 0,
    updated_at: null,
  };
}
