/**
 * The smallest body that fails as the given one does: members and items are left out, one at a time, while it still does.
 * @param fails - whether a body fails in the same way; it is asked at most `asksMax` times
 */
export async function reduced(
  body: unknown,
  fails: (body: unknown) => Promise<boolean>,
  asksMax: number,
): Promise<unknown> {
  let smallest = body;
  let asks = 0;
  for (let again = true; again; ) {
    again = false;
    for (const smaller of smallerOf(smallest)) {
      if (asks >= asksMax) return smallest;
      asks += 1;
      if (!(await fails(smaller))) continue;
      smallest = smaller;
      again = true;
      break;
    }
  }
  return smallest;
}

/** Bodies that lack one member or item, the outermost first; texts that are long are cut. */
function* smallerOf(body: unknown): Generator<unknown> {
  if (typeof body === 'string') {
    if (body.length > 1) yield body.slice(0, body.length / 2);
    return;
  }
  if (body === null || typeof body !== 'object') return;
  if (Array.isArray(body)) {
    for (const at of body.keys()) yield body.toSpliced(at, 1);
    for (const [at, item] of body.entries()) for (const smaller of smallerOf(item)) yield body.with(at, smaller);
    return;
  }
  const entries = Object.entries(body);
  for (const [key] of entries) yield Object.fromEntries(entries.filter(([name]) => name !== key));
  for (const [key, member] of entries) {
    for (const smaller of smallerOf(member)) {
      yield Object.fromEntries(entries.map(([name, value]) => [name, name === key ? smaller : value]));
    }
  }
}
