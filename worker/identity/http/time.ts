import { z } from 'zod';

const MOMENT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/;

/** A moment of ISO 8601, in UTC where it names no zone: milliseconds since 1970, and the microseconds beyond. */
export const moment = z.string().transform((text, issue) => {
  const found = MOMENT.exec(text);
  const [, day, time, fraction = '', zone = 'Z'] = found ?? [];
  const digits = fraction.padEnd(6, '0');
  const ms = found
    ? Date.parse(`${day}T${time}.${digits.slice(0, 3)}${zone}`.replace(/T(\d\d:\d\d)\./, 'T$1:00.'))
    : Number.NaN;
  if (Number.isNaN(ms)) {
    issue.addIssue({ code: 'custom', message: 'it is not a time of ISO 8601' });
    return z.NEVER;
  }
  return { ms, micros: Number(digits.slice(3, 6)) };
});
