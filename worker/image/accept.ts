/** What one media range of an Accept header says of an offer: how closely it names it, and how much it is liked. */
interface Match {
  specificity: number;
  quality: number;
}

function matchOf(range: string, offer: string): Match | undefined {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const written = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = written === undefined ? 1 : Number(written.slice(2));
  if (Number.isNaN(quality)) return undefined;
  if (type === offer) return { specificity: 2, quality };
  if (type === `${offer.split('/')[0]}/*`) return { specificity: 1, quality };
  return type === '*/*' ? { specificity: 0, quality } : undefined;
}

/**
 * The offer that a client likes best, the first among equals.
 * @param accept - the Accept header; absent: anything
 * @returns undefined when the client accepts none of them
 */
export function preferredType<Offer extends string>(
  accept: string | undefined,
  offers: readonly Offer[],
): Offer | undefined {
  if (accept === undefined) return offers[0];
  const ranges = accept.split(',');
  let best: Offer | undefined;
  let bestQuality = 0;
  for (const offer of offers) {
    const closest = ranges
      .flatMap((range) => matchOf(range, offer) ?? [])
      .reduce<Match>((a, b) => (b.specificity > a.specificity ? b : a), { specificity: -1, quality: 0 });
    if (closest.quality > bestQuality) {
      best = offer;
      bestQuality = closest.quality;
    }
  }
  return best;
}
