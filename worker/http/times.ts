/** A moment as our own APIs write it: ISO 8601 in UTC, to the millisecond. */
export const iso = (ms: number): string => new Date(ms).toISOString();
export const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

/** As Python writes one with a zone, and so Gnocchi and CloudKitty. */
export const pythonTime = (ms: number): string => iso(ms).replace('.000Z', '+00:00').replace('Z', '+00:00');
