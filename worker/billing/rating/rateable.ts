import type { Rational } from '../../../shared/money.ts';
import type { Interval } from './calendar.ts';
import type { PriceTerms } from './price-terms.ts';

/** All that a subscription's charges follow from, as it was read at one moment. */
export interface Rateable {
  product: {
    id: string;
    item: string;
    kind: 'time' | 'volume';
    orderUnit: string;
    orderSize: number;
    quantityPer: number;
    interval: Interval;
    prepaid: boolean;
    currency: string;
  };
  /** By the moment from which each holds, the earliest first. */
  prices: Price[];
  subscription: {
    startMs: number;
    endMs: number | null;
    visitedMs: number;
    chargedThroughMs: number;
    dirtyFromMs: number | null;
  };
  /** Of the resource, as the subscription's type, at least from the first month that is rated again. */
  spans: Span[];
  /** What each hour came to, over all machines. */
  windows: WindowSum[];
  /** The lines that have purchases, each as its last one left it. */
  booked: Booked[];
}

export interface Price {
  id: string;
  effectiveFromMs: number;
  terms: PriceTerms;
}

export interface Span {
  startMs: number;
  /** Null while it lasts. */
  endMs: number | null;
  state: string;
  quantity: number;
}

export interface WindowSum {
  startMs: number;
  value: number;
}

/** What a line came to when it was last booked. */
export interface Booked {
  priceId: string;
  periodMs: number;
  revision: number;
  throughMs: number;
  quantityTotal: Rational;
  amountTotalMicros: number;
}

/** What tells a line apart within its subscription. */
export const lineKey = ({ priceId, periodMs }: Pick<Booked, 'priceId' | 'periodMs'>): string =>
  `${priceId} ${periodMs}`;
