/** A row of a query of our own under the names of the schema: `start_ms` as `startMs`. */
export function rowOf<Row>(raw: Record<string, unknown>): Row {
  const named = Object.entries(raw).map(([key, value]) => [
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(named) as Row;
}
